// GraphPasses: the passes over graphs and their pipeline.
