// Compiler: the whole way from a graph to an executable.
