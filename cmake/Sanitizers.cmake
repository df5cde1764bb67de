# FASTML_SANITIZE=address,undefined or =thread instruments everything that is built.
if(FASTML_SANITIZE)
  add_compile_options(-fsanitize=${FASTML_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${FASTML_SANITIZE})
endif()
