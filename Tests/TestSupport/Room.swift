// TestSupport: what the tests of several rooms share.
