# /// parity
# rows = [38]
# says = "an interpreter that is embedded in a program and told of the environment finds what is locked"
# expects = "<site>/regular/sub.py"
# timeout = 300
# files."program.c" = """
# #include <Python.h>
# int main(int argc, char **argv) {
#     PyConfig config;
#     PyConfig_InitPythonConfig(&config);
#     PyConfig_SetBytesString(&config, &config.program_name, argv[1]);
#     PyStatus status = Py_InitializeFromConfig(&config);
#     if (PyStatus_Exception(status)) Py_ExitStatusException(status);
#     return PyRun_SimpleString(
#         "import regular.sub, sys; from importlib import metadata;"
#         "print(regular.sub.__file__, metadata.version('regular'), sys.prefix)") || Py_FinalizeEx();
# }
# """
# ///
config="$PARITY_INTERPRETER-config"
[ -x "$config" ] || config="$(dirname "$PARITY_INTERPRETER")/python3-config"
cc program.c -o embedding $("$config" --cflags --ldflags --embed) 2>/dev/null
LD_LIBRARY_PATH="$(dirname "$(dirname "$PARITY_INTERPRETER")")/lib" ./embedding "$PARITY_PYTHON"
