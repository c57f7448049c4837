// Differentiation: reverse mode, from graph to graph.
