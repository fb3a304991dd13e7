"""Which method of the REST API serves a request: literal parts beat `{parameters}`, which beat `{proxy+}`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from local.resources import Route


@dataclass(frozen=True)
class Match:
    """A route and the values of its path parameters, as they stand in the URL (not decoded)."""

    route: Route
    parameters: dict[str, str]


@dataclass
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    parameter: tuple[str, _Node] | None = None
    greedy: tuple[str, _Node] | None = None
    routes: dict[str, Route] = field(default_factory=dict)


class Routes:
    """The resource tree of a REST API."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            self._add(route)

    def match(self, method: str, path: str) -> Match | None:
        """The route that serves `method path`, or None. Like API Gateway, it overlooks one slash at the end."""
        parts = path.removeprefix("/").removesuffix("/").split("/")
        found = self._find(self._root, [] if parts == [""] else parts, {})
        if found is None:
            return None
        node, parameters = found
        route = node.routes.get(method) or node.routes.get("ANY")
        return Match(route, parameters) if route else None

    def _add(self, route: Route) -> None:
        node = self._root
        for part in route.path.strip("/").split("/"):
            if part.startswith("{") and part.endswith("+}"):
                node.greedy = node.greedy or (part[1:-2], _Node())
                node = node.greedy[1]
            elif part.startswith("{"):
                node.parameter = node.parameter or (part[1:-1], _Node())
                node = node.parameter[1]
            elif part:
                node = node.literals.setdefault(part, _Node())
        node.routes[route.method] = route

    def _find(
        self, node: _Node, parts: list[str], parameters: dict[str, str]
    ) -> tuple[_Node, dict[str, str]] | None:
        if not parts:
            return (node, parameters) if node.routes else None
        first, rest = parts[0], parts[1:]
        if first in node.literals and (found := self._find(node.literals[first], rest, parameters)):
            return found
        if node.parameter and first:
            name, child = node.parameter
            if found := self._find(child, rest, {**parameters, name: first}):
                return found
        if node.greedy:
            name, child = node.greedy
            return child, {**parameters, name: "/".join(parts)}
        return None
