// Interpreter: the reference evaluation of each operation.
