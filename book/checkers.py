"""Checkers of exercises as JavaScript, so that a page can judge an answer as the notebook does.

A checker can be had in a page if it reads its answer by one of `exercises.READERS`, that is if it asks for numbers or a
choice. It is compiled from its source. Whatever does not depend on the answer is computed now, and calls of other
functions of the library are written out in place; what remains are comparisons, arithmetic and sentences. A checker
that reads an answer so and then does something else stops the build.
"""

import ast
import importlib
import inspect
import json
import math
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pixelwise import exercises

COMPARISONS: dict[type[ast.cmpop], str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
OPERATORS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
MEMBERSHIPS: dict[type[ast.cmpop], str] = {
    ast.Eq: "same",
    ast.NotEq: "!same",
    ast.In: "within",
    ast.NotIn: "!within",
}
# Functions of Python that the script of the exercises has too, under these names.
KNOWN: dict[Any, str] = {
    abs: "Math.abs",
    len: "count",
    sum: "total",
    min: "least",
    sorted: "sorted",
    set: "unique",
    math.isclose: "close",
}


TOOLS = ("right", "wrong", "same", "within", "count", "total", "least", "sorted", "unique", "modulo", "close")
"""What exercises.js has for compiled checkers."""


class NotForAPageError(ValueError):
    """A checker does what no page can do."""


class Js(str):
    """An expression of JavaScript, whose value is not known yet."""


Names = dict[str, Any]  # what each local name stands for: a value, or Js


def asked(name: str) -> bool:
    """Whether an exercise asks for numbers or a choice, so that a page can check it."""
    return any(_readers(*_parse(_checker(name))))


def options(name: str) -> list[str]:
    """What there is to choose from in an exercise; nothing where it asks for no choice."""
    compiler = Compiler(name)
    compiler.function(compiler.checker, {compiler.parameter: Js("answer")})
    return compiler.asks.get("options", [])


def compiled(name: str) -> str:
    """An exercise as an object of JavaScript: what it asks for, and its `check` from an answer to a verdict."""
    compiler = Compiler(name)
    body = compiler.function(compiler.checker, {compiler.parameter: Js("answer")})
    facts = ", ".join(f"{key}: {literal(value)}" for key, value in compiler.asks.items())
    return f"{{ {facts}, check: (answer) => {{ {body} }} }}"


def script(names: Iterable[str]) -> str:
    """A script that adds exercises to those of a page; exercises.js has what it calls."""
    entries = "".join(f"  {literal(name)}: {compiled(name)},\n" for name in names)
    return f"(({{ {', '.join(TOOLS)} }}) => Object.assign(Exercises.all, {{\n{entries}}}))(Exercises.tools);\n"


def literal(value: object) -> str:
    """A constant of Python in JavaScript."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, (str, int, float)):
        return json.dumps(value, ensure_ascii=False)
    raise NotForAPageError(f"{value!r} has no like in JavaScript")


def _checker(name: str) -> Callable[..., str]:
    importlib.import_module(f"pixelwise.exercises.{name.partition('.')[0]}")
    return exercises.CHECKERS[name]


def _parse(function: Callable[..., Any]) -> tuple[ast.FunctionDef, Mapping[str, Any]]:
    """A function's source as a tree, and what its global names stand for."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    if not isinstance(tree, ast.FunctionDef):
        raise NotForAPageError(f"{function} is no function with a name")
    return tree, inspect.getmodule(function).__dict__


def _readers(tree: ast.FunctionDef, space: Mapping[str, Any]) -> Iterator[ast.Call]:
    """The calls that read the answer of a checker."""
    answer = tree.args.args[0].arg
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            of_answer = isinstance(node.args[0], ast.Name) and node.args[0].id == answer
            if of_answer and space.get(node.func.id) in exercises.READERS:
                yield node


@dataclass
class Compiler:
    """The compiler of one exercise; `asks` holds what its reader asks for once that has been met."""

    name: str
    asks: dict[str, Any] = field(default_factory=dict)
    variables: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.checker = _checker(self.name)
        self.parameter = next(iter(inspect.signature(self.checker).parameters))

    def function(self, function: Callable[..., Any], names: Names) -> str:
        """The statements of a function whose parameters stand for `names`."""
        tree, space = _parse(function)
        return " ".join(self.statements(_body(tree), dict(space) | names))

    def statements(self, nodes: list[ast.stmt], names: Names) -> Iterator[str]:
        for node in nodes:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    found = self.value(value, names)
                    if isinstance(found, Js) and not found.isidentifier():
                        variable = self.fresh(name)
                        yield f"const {variable} = {found};"
                        found = variable
                    names[name] = found
                case ast.Assign(targets=[ast.Tuple(elts=parts)], value=value):
                    targets = {part.id: self.fresh(part.id) for part in parts if isinstance(part, ast.Name)}
                    yield f"const [{', '.join(targets.values())}] = {self.expression(value, names)};"
                    names |= targets
                case ast.If(test=test, body=body, orelse=other):
                    condition = self.value(test, names)
                    if isinstance(condition, Js):
                        yield f"if ({condition}) {{ {' '.join(self.statements(body, dict(names)))} }}"
                        yield from self.statements(other, names)  # a body ends in a verdict
                    else:
                        yield from self.statements(body if condition else other, names)
                case ast.Return(value=ast.Call(func=ast.Name(id=name)) as call) if callable(names.get(name)):
                    yield self.function(names[name], self.arguments(names[name], call, names))
                case ast.Return(value=ast.expr() as value):
                    yield f"return right({self.expression(value, names)});"
                case ast.Raise(exc=ast.Call(func=ast.Name(id="Hint"), args=[value])):
                    yield f"return wrong({self.expression(value, names)});"
                case _:
                    raise self.error(node)

    def fresh(self, name: str) -> Js:
        """A name for a variable, which JavaScript lets nobody assign twice."""
        self.variables.append(name)
        return Js(f"{name}{self.variables.count(name)}")

    def value(self, node: ast.expr, names: Names) -> Any:
        """What an expression is worth, or as Js where that depends on the answer."""
        used = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        if any(isinstance(names.get(name), Js) for name in used):
            return self.dynamic(node, names)
        return eval(compile(ast.Expression(node), self.name, "eval"), dict(names))

    def expression(self, node: ast.expr, names: Names) -> Js:
        found = self.value(node, names)
        return found if isinstance(found, Js) else Js(literal(found))

    def dynamic(self, node: ast.expr, names: Names) -> Any:
        def write(part: ast.expr) -> Js:
            return self.expression(part, names)

        match node:
            case ast.Name(id=name):
                return names[name]
            case ast.Call(func=ast.Name(id="callable")):
                return False  # no function is ever typed into a page
            case ast.Call():
                return self.call(node, names)
            case ast.BoolOp(op=op, values=values):
                return Js(f"({(' && ' if isinstance(op, ast.And) else ' || ').join(map(write, values))})")
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Js(f"!{write(operand)}")
            case ast.IfExp(test=test, body=body, orelse=other):
                return Js(f"({write(test)} ? {write(body)} : {write(other)})")
            case ast.Compare(left=left, ops=ops, comparators=others):
                sides = [write(side) for side in (left, *others)]
                pairs = zip(sides, ops, sides[1:], strict=False)
                return Js(f"({' && '.join(self.compare(*pair) for pair in pairs)})")
            case ast.BinOp(left=left, op=ast.Mod(), right=right):
                return Js(f"modulo({write(left)}, {write(right)})")
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                return Js(f"({write(left)} {OPERATORS[type(op)]} {write(right)})")
            case ast.Subscript(value=whole, slice=ast.Slice(lower=ast.Constant(value=start), upper=None, step=None)):
                return Js(f"{write(whole)}.slice({start})")
            case ast.JoinedStr(values=parts):
                return Js(" + ".join(self.part(part, names) for part in parts))
        raise self.error(node)

    def compare(self, left: Js, op: ast.cmpop, right: Js) -> str:
        if type(op) in COMPARISONS:
            return f"{left} {COMPARISONS[type(op)]} {right}"
        if type(op) in MEMBERSHIPS:
            return f"{MEMBERSHIPS[type(op)]}({left}, {right})"
        raise self.error(op)

    def part(self, node: ast.expr, names: Names) -> str:
        """A part of an f-string."""
        if isinstance(node, ast.FormattedValue):
            if node.format_spec or node.conversion != -1:
                raise self.error(node.value)
            return f"String({self.expression(node.value, names)})"
        return self.expression(node, names)

    def call(self, node: ast.Call, names: Names) -> Any:
        function = self.value(node.func, names)
        if function in exercises.READERS:
            self.asks = asks(function, [self.value(part, names) for part in node.args[1:]])
            return Js("answer")
        bound = self.arguments(function, node, names)
        if function in KNOWN:
            values = (found if isinstance(found, Js) else literal(found) for found in bound.values())
            return Js(f"{KNOWN[function]}({', '.join(values)})")
        tree, space = _parse(function)
        match _body(tree):
            case [ast.Return(value=ast.expr() as value)]:
                return self.value(value, dict(space) | bound)
        raise self.error(node)

    def arguments(self, function: Any, node: ast.Call, names: Names) -> Names:
        """What a call hands to each parameter of a function."""
        try:
            signature = inspect.signature(function)
        except ValueError:  # of `set` and `min`
            return {str(place): self.value(part, names) for place, part in enumerate(node.args)}
        positional = [self.value(part, names) for part in node.args]
        named = {word.arg: self.value(word.value, names) for word in node.keywords if word.arg}
        bound = signature.bind(*positional, **named)
        if function not in KNOWN:
            bound.apply_defaults()
        return dict(bound.arguments)

    def error(self, node: ast.AST) -> NotForAPageError:
        what = ast.unparse(node) if isinstance(node, (ast.expr, ast.stmt)) else type(node).__name__
        return NotForAPageError(
            f"exercise {self.name} asks for numbers or a choice, but a page cannot do this of its checker: {what}"
        )


def asks(reader: Callable[..., Any], arguments: list[Any]) -> dict[str, Any]:
    """What a reader asks for: the `kind` of answer; which `options`, or how `many` numbers and the `hint` without."""
    if reader is exercises.choice:
        return {"kind": "choice", "options": arguments}
    if reader is exercises.number:
        return {"kind": "number"}
    try:
        reader(None, *arguments)
    except exercises.Hint as hint:
        many = {"many": arguments[0]} if reader is exercises.whole_numbers else {}
        return {"kind": "numbers", **many, "hint": str(hint)}
    raise AssertionError(f"{reader} accepts nothing at all")


def _body(tree: ast.FunctionDef) -> list[ast.stmt]:
    """The statements of a function without its docstring."""
    return tree.body[1:] if ast.get_docstring(tree) is not None else tree.body
