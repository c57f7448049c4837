// The tests of Differentiation.
