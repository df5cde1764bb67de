# fastml_warnings: the warnings every C++ target of ours is compiled with.
add_library(fastml_warnings INTERFACE)
target_compile_options(
  fastml_warnings
  INTERFACE -Wall
            -Wextra
            -Wshadow
            -Wnon-virtual-dtor
            -Wcast-align
            -Woverloaded-virtual
            # The ABI of vector arguments differs between levels; no vector crosses a level's border.
            -Wno-psabi
            $<$<BOOL:${FASTML_WERROR}>:-Werror>)
