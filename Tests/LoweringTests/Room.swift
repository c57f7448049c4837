// The tests of Lowering.
