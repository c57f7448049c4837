// Lowering: from graphs to kernels, and from kernels to loops.
