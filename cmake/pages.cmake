# The manual page and the completions, as the command itself makes them from its tables.
#   cmake -DGODWIT=COMMAND -DTO=FOLDER -P pages.cmake
foreach(page "godwit.1;--man" "godwit.bash;--completion;bash" "_godwit;--completion;zsh"
             "godwit.fish;--completion;fish")
    list(POP_FRONT page name)
    execute_process(COMMAND ${GODWIT} help ${page} OUTPUT_FILE ${TO}/${name} RESULT_VARIABLE rc)
    if(NOT rc EQUAL 0)
        message(FATAL_ERROR "${name}: `godwit help ${page}` failed: ${rc}")
    endif()
endforeach()
