# objects.txt in the build directory: "<level> <object file>" a line, "baseline" for what is no level source. The tests
# of the wheel read it to prove that no instruction of a higher level stands outside that level's objects.
set(object_list "")
foreach(target IN ITEMS fastml_kernels LISTS FASTML_EXTENSIONS)
  string(APPEND object_list "baseline $<JOIN:$<TARGET_OBJECTS:${target}>,\nbaseline >\n")
endforeach()
foreach(level IN LISTS FASTML_LEVELS)
  string(APPEND object_list "${level} $<JOIN:$<TARGET_OBJECTS:fastml_level_${level}>,\n${level} >\n")
endforeach()
file(GENERATE OUTPUT "${PROJECT_BINARY_DIR}/objects.txt" CONTENT "${object_list}")
