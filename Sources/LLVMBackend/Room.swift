// LLVMBackend: from loops to native code through LLVM's C API.
