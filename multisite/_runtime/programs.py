"""Tools that are run with ``python -m``: their code does not end before the program does.

``runpy`` executes a tool's code as ``__main__``, and its last lines, ``if __name__ == "__main__":``, are the program.
What is done for a tool has to be done before those, so its source is compiled with a call there.
"""

import ast
import warnings


def adapted(loader, name, act):
    """Return the code of the module *name*, which calls *act* with its module before its program begins."""
    code = loader.get_code(name)
    source = loader.get_source(name) if hasattr(loader, "get_source") else None
    tree = ast.parse(source or "")
    at = max((at for at, statement in enumerate(tree.body) if _is_program(statement)), default=None)
    if at is None:
        return code

    def act_once(namespace):
        del loader.act
        act(_module(namespace))

    loader.act = act_once
    call = ast.parse("__spec__.loader.act(globals())").body[0]
    for node in ast.walk(call):
        ast.copy_location(node, tree.body[at])
    tree.body.insert(at, call)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the loader has said what there is to say of the source
        return compile(tree, code.co_filename, "exec", dont_inherit=True)


def _is_program(statement):
    """Tell whether a statement is for a module that is run: it asks for its name."""
    return isinstance(statement, ast.If) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(statement.test)
    )


def _module(namespace):
    """Return an object whose attributes are the names in *namespace*."""

    class Module:
        pass

    module = Module()
    module.__dict__ = namespace
    return module
