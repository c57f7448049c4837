/// Switches the cache of compiled kernels off in the process of the tests and in those that it starts, so that they
/// neither use nor fill the folder of the user who runs them. There is nothing to call.
