// The tests of LoopIR.
