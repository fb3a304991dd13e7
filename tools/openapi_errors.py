"""Which errors of ours a route can answer with: found in the code, by following what its function names.

Whatever a function names is resolved as Python would do it, through modules, classes, annotated arguments and what an
annotated call returns; functions of the services and of our layer are followed, and each error in a `raise`, a table or
a mapping on the way counts. What a `try` catches for good does not. A protocol has no code to follow: there the
`Raises:` of its docstring stands.
"""

import ast
import functools
import inspect
import re
import textwrap
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any

from shared.errors import AppError

Errors = frozenset[type[AppError]]

_OURS = ("functions.", "shared.")
# What stands around every route says the same of each: the document knows it without looking.
_AROUND = ("shared.api", "shared.requests", "shared.responses", "shared.settings", "shared.parameters")
_NOT_RAISED = frozenset({"isinstance", "issubclass", "cast"})


def errors_of(function: Callable[..., Any]) -> Errors:
    """The errors that may leave `function`."""
    return _errors_of(inspect.unwrap(function), frozenset())


def _errors_of(function: Any, above: frozenset[str]) -> Errors:
    name = f"{function.__module__}.{function.__qualname__}"
    if name in above or not name.startswith(_OURS) or function.__module__ in _AROUND:
        return frozenset()
    return _Reading(function, above | {name}).errors()


class _Reading:
    """One function, read."""

    def __init__(self, function: types.FunctionType, above: frozenset[str]) -> None:
        self._function, self._above = function, above
        self._names: dict[str, Any] = {**vars(__import__("builtins")), **function.__globals__}
        self._names |= {
            name: cell.cell_contents
            for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
            if not _is_empty(cell)
        }
        self._kinds: dict[str, Any] = dict(_hints(function))

    def errors(self) -> Errors:
        """What may leave it."""
        tree = ast.parse(textwrap.dedent(inspect.getsource(self._function))).body[0]
        if not isinstance(tree, ast.FunctionDef):
            return frozenset()
        if _is_of_protocol(self._function):
            return self._documented()
        return self._of(tree.body)

    def _documented(self) -> Errors:
        text = (inspect.getdoc(self._function) or "").partition("Raises:")[2]
        named = [self._names.get(word) for word in re.findall(r"\b[A-Z]\w+", text)]
        return frozenset(kind for kind in named if _is_error(kind))

    def _of(self, nodes: Iterable[ast.AST]) -> Errors:
        found: set[type[AppError]] = set()
        for node in nodes:
            found |= self._of_one(node)
        return frozenset(found)

    def _of_one(self, node: ast.AST) -> Errors:
        match node:
            case ast.Try():
                return self._of_try(node)
            case ast.Name() | ast.Attribute():
                return self._meant(node) | self._of(ast.iter_child_nodes(node))
            case ast.Call(func=ast.Name(id=called)) if called in _NOT_RAISED:
                return frozenset()
            case ast.AnnAssign(value=value):
                self._learn(node.target, self._evaluated(node.annotation))
                return self._of([value] if value else [])
            case ast.Assign(targets=[target], value=value):
                self._learn(target, self._kind_of(value))
                return self._of([value])
            case ast.With(items=items, body=body):
                return self._of([item.context_expr for item in items]) | self._of(body)
        return self._of(ast.iter_child_nodes(node))

    def _of_try(self, node: ast.Try) -> Errors:
        tried = self._of(node.body)
        for handler in node.handlers:
            again = any(isinstance(n, ast.Raise) and n.exc is None for n in ast.walk(handler))
            caught = self._caught(handler)
            if caught and not again:
                tried = frozenset(kind for kind in tried if not issubclass(kind, caught))
        handled = self._of(statement for handler in node.handlers for statement in handler.body)
        return tried | handled | self._of([*node.orelse, *node.finalbody])

    def _caught(self, handler: ast.ExceptHandler) -> tuple[type[BaseException], ...]:
        named = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        kinds = [self._resolved(node) for node in named if node is not None]
        return tuple(k for k in kinds if isinstance(k, type) and issubclass(k, BaseException))

    def _meant(self, node: ast.expr) -> Errors:
        return self._of_object(self._resolved(node), 2)

    def _of_object(self, meant: Any, depth: int) -> Errors:
        if isinstance(meant, types.MethodType | functools._lru_cache_wrapper):
            meant = inspect.unwrap(getattr(meant, "__func__", meant))
        if isinstance(meant, types.FunctionType):
            return _errors_of(meant, self._above)
        if _is_error(meant):
            return frozenset({meant})
        if isinstance(meant, dict | list | tuple) and depth:
            inside = meant.values() if isinstance(meant, dict) else meant
            return frozenset(kind for item in inside for kind in self._of_object(item, depth - 1))
        return frozenset()

    def _resolved(self, node: ast.AST) -> Any:
        """The object that a name, or a name with dots, stands for; None if only running would tell."""
        if isinstance(node, ast.Name):
            return None if node.id in self._kinds else self._names.get(node.id)
        if not isinstance(node, ast.Attribute):
            return None
        owner = self._resolved(node.value)
        if _is_error(owner):
            return None  # BadInput.field(...): the error itself is named, and counts
        if owner is None:
            owner = _plain(self._kind_of(node.value))
        return inspect.getattr_static(owner, node.attr, None) if _is_ours(owner) else None

    def _kind_of(self, node: ast.AST) -> Any:
        """The type of an expression, as far as annotations tell."""
        if isinstance(node, ast.Name):
            if node.id in self._kinds:
                return self._kinds[node.id]
            return type(self._names[node.id]) if node.id in self._names else None
        if isinstance(node, ast.Call):
            called = inspect.unwrap(found) if callable(found := self._resolved(node.func)) else None
            if isinstance(called, type):
                return called
            return _hints(called).get("return") if isinstance(called, types.FunctionType) else None
        return None

    def _learn(self, target: ast.AST, kind: Any) -> None:
        if isinstance(target, ast.Name):
            self._kinds[target.id] = kind

    def _evaluated(self, annotation: ast.expr) -> Any:
        return self._resolved(annotation)


def _is_error(value: Any) -> typing.TypeGuard[type[AppError]]:
    return isinstance(value, type) and issubclass(value, AppError)


def _is_ours(owner: Any) -> bool:
    if isinstance(owner, types.ModuleType):
        return f"{owner.__name__}.".startswith(_OURS)
    return isinstance(owner, type) and f"{owner.__module__}.".startswith(_OURS)


def _is_of_protocol(function: types.FunctionType) -> bool:
    owner = function.__globals__.get(function.__qualname__.partition(".")[0])
    return getattr(owner, "_is_protocol", False) is True


def _plain(kind: Any) -> Any:
    """`Sql | None` is as good as `Sql` here."""
    kinds = [k for k in typing.get_args(kind) if k is not type(None)] if kind is not None else []
    return kinds[0] if isinstance(kind, types.UnionType) and kinds else kind


def _hints(function: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError):
        return {}


def _is_empty(cell: Any) -> bool:
    try:
        return cell.cell_contents is None
    except ValueError:
        return True
