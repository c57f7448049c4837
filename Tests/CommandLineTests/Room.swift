// The tests of the program `martlet`.
