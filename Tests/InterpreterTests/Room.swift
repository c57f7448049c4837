// The tests of Interpreter.
