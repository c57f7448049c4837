// The tests of Runtime.
