# objects.txt in the build directory: "<level> <object file>" a line, "baseline" for what is no level source. The tests
# of the wheel read it to prove that no instruction of a higher level stands outside that level's objects.
set(object_list "")
foreach(target IN ITEMS fastml_kernels LISTS FASTML_EXTENSIONS)
  # Without precompiled headers, which CMake counts among them.
  set(objects "$<FILTER:$<TARGET_OBJECTS:${target}>,INCLUDE,[.](o|obj)$>")
  string(APPEND object_list "baseline $<JOIN:${objects},\nbaseline >\n")
endforeach()
foreach(level IN LISTS FASTML_LEVELS)
  string(APPEND object_list "${level} $<JOIN:$<TARGET_OBJECTS:fastml_level_${level}>,\n${level} >\n")
endforeach()
file(GENERATE OUTPUT "${PROJECT_BINARY_DIR}/objects.txt" CONTENT "${object_list}")
