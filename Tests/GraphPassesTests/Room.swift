// The tests of GraphPasses.
