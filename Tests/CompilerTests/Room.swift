// The tests of Compiler.
