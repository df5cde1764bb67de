// Nothing: CMake precompiles the headers of a target only where the target has a source. See csrc/CMakeLists.txt.
