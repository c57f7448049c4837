// The tests of GraphIR.
