"""Rewrites expressions of a contract, adding up the price of the run of statements that they stand in (CON-120).

See `yunhe.contracts.metered.transform` for the whole.
"""

import ast

from yunhe.contracts.metered.frames import CallGraph
from yunhe.contracts.metered.syntax import (
    ARGUMENT,
    ATTRIBUTE,
    BINARY,
    BINARY_OPERATION,
    BRANCH,
    CALL,
    COMPARE,
    COMPARE_NATIVE,
    COMPARISON,
    COMPREHENSION,
    COMPREHENSION_ROUND,
    DISPLAY,
    DISPLAY_ENTRY,
    DISPLAY_MEMORY,
    ELEMENT,
    ELEMENT_MEMORY,
    ENTRY_MEMORY,
    FIELD,
    INSTANCE,
    INSTANCE_FIELD,
    METHOD_BASE,
    NAME,
    SCALAR_CALL,
    SDK_CALL,
    SHORT_TEXT,
    SLICE,
    SUBSCRIPT,
    TEXT,
    TEXT_PART,
    ModuleNames,
    again,
    call_of,
    consumes,
    is_simple,
    refuse_node,
)
from yunhe.contracts.vocabulary import BUILTIN_ATTRIBUTES, BUILTINS, SDK_CLASSES, SDK_NAMES, SYSTEM_NAMES


class ExpressionWriter:
    """Rewrites statements and expressions, adding up the price of the run that they stand in."""

    def __init__(self, names: ModuleNames) -> None:
        self._names = names
        self._gas = 0
        self._memory = 0
        self.calls = CallGraph(names.functions)

    # --- Expressions ------------------------------------------------------------------------------------------------

    def _expression(self, node: ast.expr) -> ast.expr:  # noqa: C901, PLR0911, PLR0912  # one branch for each kind of expression
        match node:
            case ast.Constant():
                self._gas += NAME
                return node
            case ast.Name():
                if node.id.startswith("_"):
                    refuse_node(node)
                self._gas += NAME
                return node
            case ast.Attribute():
                return self._attribute(node)
            case ast.Call():
                return self._call(node)
            case ast.Compare():
                return self._compare(node)
            case ast.BinOp():
                self._gas += BINARY_OPERATION
                name = BINARY.get(type(node.op)) or refuse_node(node)
                return call_of(name, [self._expression(node.left), self._expression(node.right)], node)
            case ast.BoolOp():
                self._gas += BRANCH * len(node.values)
                node.values = [self._expression(value) for value in node.values]
            case ast.UnaryOp():
                self._gas += BRANCH
                if not isinstance(node.op, ast.Not | ast.USub | ast.UAdd):
                    refuse_node(node)
                node.operand = self._expression(node.operand)
            case ast.IfExp():
                self._gas += BRANCH
                node.test = self._expression(node.test)
                node.body = self._expression(node.body)
                node.orelse = self._expression(node.orelse)
            case ast.Subscript():
                return self._subscript(node)
            case ast.JoinedStr():
                return self._text(node)
            case ast.List() | ast.Tuple():
                self._gas += DISPLAY + ELEMENT * len(node.elts)
                self._memory += DISPLAY_MEMORY + ELEMENT_MEMORY * len(node.elts)
                node.elts = [self._expression(element) for element in node.elts]
            case ast.Dict():
                return self._dict(node)
            case ast.ListComp():
                return self._comprehension(node)
            case ast.DictComp():
                return self._dict_comprehension(node)
            case _:
                refuse_node(node)
        return node

    def _attribute(self, node: ast.Attribute) -> ast.expr:
        if node.attr.startswith("_"):
            refuse_node(node)
        self._gas += ATTRIBUTE
        if isinstance(node.value, ast.Name) and node.value.id in self._names.classes:
            return node
        if not isinstance(node.value, ast.Name) or node.value.id.startswith("_"):
            value = node.value if isinstance(node.value, ast.Name) else self._expression(node.value)
        else:
            value = self._expression(node.value)
        if node.attr in BUILTIN_ATTRIBUTES:
            self._gas += FIELD
            return call_of("_field", [value, ast.copy_location(ast.Constant(node.attr), node)], node)
        node.value = value
        return node

    def _subscript(self, node: ast.Subscript) -> ast.expr:
        if isinstance(node.value, ast.Name) and node.value.id in self._names.handles:
            self._gas += SDK_CALL
            node.slice = self._expression(node.slice)
            return node
        container = self._expression(node.value)
        if isinstance(node.slice, ast.Slice):
            self._gas += SLICE
            nothing = ast.copy_location(ast.Constant(None), node)
            bounds = [node.slice.lower, node.slice.upper, node.slice.step]
            return call_of("_cut", [container, *[nothing if bound is None else self._expression(bound) for bound in bounds]], node)
        self._gas += SUBSCRIPT
        return call_of("_item", [container, self._key(node.slice)], node)

    def _key(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Slice):
            refuse_node(node)
        return self._expression(node)

    def _text(self, node: ast.JoinedStr) -> ast.expr:
        self._gas += TEXT + TEXT_PART * len(node.values)
        parts: list[ast.expr] = []
        for part in node.values:
            match part:
                case ast.Constant():
                    parts.append(part)
                case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
                    parts.append(self._expression(value))
                case _:
                    refuse_node(part)
        return call_of("_text", parts, node)

    def _dict(self, node: ast.Dict) -> ast.expr:
        self._gas += DISPLAY + DISPLAY_ENTRY * len(node.keys)
        self._memory += DISPLAY_MEMORY + ENTRY_MEMORY * len(node.keys)
        parts: list[ast.expr] = []
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                refuse_node(node)
            parts += [self._expression(key), self._expression(value)]
        if all(isinstance(key, ast.Constant) and isinstance(key.value, str | bytes) for key in node.keys):
            node.keys, node.values = list(parts[0::2]), parts[1::2]
            return node
        return call_of("_dict_of", parts, node)

    def _compare(self, node: ast.Compare) -> ast.expr:
        for middle in node.comparators[:-1]:
            # Evaluated once by Python and twice here, so it must be something that evaluating does not change.
            if not is_simple(middle):
                refuse_node(middle)
        operands = [self._expression(operand) for operand in [node.left, *node.comparators]]
        tests: list[ast.expr] = []
        for index, operator in enumerate(node.ops):
            left = operands[index] if index == 0 else again(operands[index])
            tests.append(self._comparison(left, operator, operands[index + 1], node))
        return tests[0] if len(tests) == 1 else ast.copy_location(ast.BoolOp(ast.And(), tests), node)

    def _comparison(self, left: ast.expr, operator: ast.cmpop, right: ast.expr, node: ast.Compare) -> ast.expr:
        if self._is_bounded_comparison(left, operator, right):
            self._gas += COMPARE_NATIVE
            return ast.copy_location(ast.Compare(left, [operator], [right]), node)
        self._gas += COMPARE
        name = COMPARISON.get(type(operator)) or refuse_node(node)
        return call_of(name, [left, right], node)

    def _is_bounded_comparison(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> bool:
        """Tell whether a comparison costs no more than the source shows."""
        if isinstance(operator, ast.Is | ast.IsNot):
            if not (isinstance(right, ast.Constant) and right.value is None):
                refuse_node(right)
            return True
        if isinstance(operator, ast.In | ast.NotIn):
            if isinstance(right, ast.Name):
                return right.id in self._names.handles
            return isinstance(right, ast.Tuple) and all(self._is_literal(element) for element in right.elts)
        return self._is_literal(left) or self._is_literal(right)

    def _is_literal(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return node.value.id in self._names.choices
        # Comparing with a long text costs more than the source shows.
        return isinstance(node, ast.Constant) and not (isinstance(node.value, str | bytes) and len(node.value) > SHORT_TEXT)

    # --- Calls ------------------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call) -> ast.expr:  # noqa: RET503  # the last line never returns
        if any(keyword.arg is None for keyword in node.keywords):
            refuse_node(node)
        if len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp) and consumes(node.func):
            arguments = [self._comprehension(node.args[0])]
        else:
            arguments = [self._expression(argument) for argument in node.args]
        for keyword in node.keywords:
            keyword.value = self._expression(keyword.value)
        self._gas += ARGUMENT * (len(arguments) + len(node.keywords))
        node.args = arguments
        match node.func:
            case ast.Name(id=name):
                return self._named_call(node, name)
            case ast.Attribute(value=ast.Name(id=name)) if name in self._names.handles:
                self._gas += SDK_CALL
                return node
            case ast.Attribute(value=holder, attr=method) if method in METHOD_BASE:
                self._gas += METHOD_BASE[method]
                # Python evaluates the holder before the arguments; so does a call that has it as its first argument.
                return call_of(f"_m_{method}", [self._expression(holder), *node.args], node, node.keywords)
        refuse_node(node)

    def _named_call(self, node: ast.Call, name: str) -> ast.expr:
        if name in self._names.functions:
            self._gas += CALL
            self.calls.add(name)
        elif name in self._names.records:
            self._instance(node, name)
        elif name in self._names.choices:
            self._gas += SCALAR_CALL
        elif name in self._names.imported and name in SDK_NAMES | SYSTEM_NAMES:
            self._gas += SCALAR_CALL if name in SDK_CLASSES else SDK_CALL
            self._memory += ELEMENT_MEMORY if name in SDK_CLASSES else 0
        elif name in BUILTINS:
            self._gas += BUILTINS[name].base
            return call_of(f"_b_{name}", node.args, node, node.keywords)
        else:
            refuse_node(node)
        return node

    def _instance(self, node: ast.Call, name: str) -> None:
        # Fields that are not given take their defaults, which is work as well.
        fields = self._names.records[name]
        self._gas += INSTANCE + INSTANCE_FIELD * fields
        self._memory += DISPLAY_MEMORY + ELEMENT_MEMORY * fields
        given = {keyword.arg for keyword in node.keywords}
        for field, copy in self._names.copies[name].items():
            if field not in given:
                self._gas += copy.gas
                self._memory += copy.memory

    # --- Comprehensions ---------------------------------------------------------------------------------------------

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp) -> ast.expr:
        self._gas += COMPREHENSION
        self._memory += DISPLAY_MEMORY
        element_memory = ELEMENT_MEMORY if isinstance(node, ast.ListComp) else 0
        node.elt = self._rounds(node.generators, [node.elt], node, element_memory)[0]
        return node

    def _dict_comprehension(self, node: ast.DictComp) -> ast.expr:
        """Rewrite `{k: v for ...}` as pairs that an operation puts into a dict, so that each key pays."""
        self._gas += COMPREHENSION
        self._memory += DISPLAY_MEMORY
        parts = self._rounds(node.generators, [node.key, node.value], node, 0)
        pairs = ast.copy_location(ast.GeneratorExp(ast.Tuple(parts, ast.Load()), node.generators), node)
        return call_of("_dict_from", [pairs], node)

    def _rounds(self, generators: list[ast.comprehension], elements: list[ast.expr], node: ast.expr, element_memory: int) -> list[ast.expr]:
        """Rewrite the loops of a comprehension; each round of each loop pays for its conditions and for what stands inside."""
        generators[0].iter = self._expression(generators[0].iter)
        outer = self._gas, self._memory
        self.calls.nest()
        inner: list[ast.expr] = []
        for index, generator in enumerate(generators):
            if generator.is_async:
                refuse_node(node)
            self._gas, self._memory = COMPREHENSION_ROUND, 0
            self._plain_target(generator.target)
            conditions = [self._expression(condition) for condition in generator.ifs]
            if index + 1 < len(generators):
                generators[index + 1].iter = self._expression(generators[index + 1].iter)
            else:
                inner = [self._expression(element) for element in elements]
                self._memory += element_memory
            prices: list[ast.expr] = [ast.Constant(self._gas), ast.Constant(self._memory)]
            generator.ifs = [call_of("_tick", prices, node), *conditions]
        self.calls.unnest()
        self._gas, self._memory = outer
        return inner

    def _plain_target(self, target: ast.expr) -> None:
        """Accept a name, or a tuple or list of such targets."""
        self._gas += NAME
        match target:
            case ast.Name():
                pass
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                for element in elements:
                    self._plain_target(element)
            case _:
                refuse_node(target)
