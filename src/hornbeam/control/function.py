"""`tf.function`: Python that is traced once for each kind of arguments, and compiled."""

from __future__ import annotations

import functools
import inspect
import threading
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax

from hornbeam.control import eagerness
from hornbeam.control.autograph.runtime import OPERATORS
from hornbeam.control.concrete import ConcreteFunction
from hornbeam.control.gradients import kept, traced
from hornbeam.control.input_signature import InputSignature
from hornbeam.control.keys import (
    Kept,
    Texts,
    Unknown,
    changed,
    form_of,
    key_of,
    tensors_in,
    with_tensors,
)
from hornbeam.control.on_host import OnHost, needs_turns, needs_values
from hornbeam.control.parts import for_tapes
from hornbeam.core import block, config, effects, recording, scope
from hornbeam.core.compiled import Compiled
from hornbeam.core.leaks import maker, name_as
from hornbeam.core.outputs import as_tensors
from hornbeam.core.tensor import Tensor, known_value, lost_with
from hornbeam.core.user_code import warn

# TensorFlow's own measure of tracing too often: so many of the last so many calls.
_TRACES, _CALLS = 5, 10


class Function:
    """A Python function that runs as compiled programs, one for each kind of arguments.

    The Python code runs when a kind of arguments is seen for the first time: it is traced. Tensors and arrays count by
    shape and type, Python numbers and strings by value, other objects by identity. What the code prints or appends to
    lists happens then, and only then; what it assigns to variables happens at every call.

    >>> import hornbeam as tf
    >>> traced = []
    >>> @tf.function
    ... def double(x):
    ...     traced.append(x.shape)
    ...     return 2 * x
    >>> print(int(double(tf.constant(3))), int(double(tf.constant(4))), len(traced))
    6 8 1
    """

    def __init__(
        self,
        python_function: Callable[..., Any],
        name: str | None = None,
        input_signature: Sequence[Any] | None = None,
        autograph: bool = True,
        **options: Any,
    ) -> None:
        """`options` are those of `tf.function` that change nothing here."""
        if not callable(python_function):
            raise TypeError(
                f"{python_function!r} is not a callable object: tf.function takes a function."
            )
        self._python_function = python_function
        # AutoGraph makes control flow over tensors a part of the program.
        self._run = partial(OPERATORS.run, python_function) if autograph else python_function
        self._options = options
        self._input_signature = (
            None if input_signature is None else InputSignature(input_signature, python_function)
        )
        functools.update_wrapper(self, python_function)
        self._name = name or getattr(python_function, "__name__", type(python_function).__name__)
        self.__name__ = self._name
        self._signature = _signature(python_function)
        self._positional = _positional(self._signature)
        self._programs: Kept[Compiled | OnHost] = Kept()
        self._lock = threading.RLock()
        self._traces = 0
        self._has_traced = False
        self._recent: deque[bool] = deque(maxlen=_CALLS)
        self._warned = False
        self._methods: dict[int, tuple[weakref.ref[Any], Function]] = {}

    @property
    def python_function(self) -> Callable[..., Any]:
        """The function that was decorated."""
        return self._python_function

    @property
    def input_signature(self) -> Any:
        """The `input_signature` that was given, as a tuple; None without one."""
        return None if self._input_signature is None else self._input_signature.specs

    @property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """The parameters of the Python function; none for a builtin that does not tell them."""
        return {} if self._signature is None else self._signature.parameters

    def experimental_get_tracing_count(self) -> int:
        """Return how often the Python function was traced."""
        return self._traces

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the Python function returns, its numbers as tensors."""
        if eagerness.functions_run_eagerly():
            return self._python_function(*args, **kwargs)
        return self.on_bound(*self._bound(args, kwargs))

    def on_bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what the Python function returns for arguments in the order of its parameters."""
        if scope.is_open():
            return self._inline(args, kwargs)
        try:
            key, arrays = self._key(args, kwargs)
        except Unknown:
            for leaf in jax.tree.leaves((args, kwargs)):
                known_value(leaf)  # raises for one that was kept beyond its program
            return self._inline(args, kwargs)
        except Texts:
            return OnHost(self._python_function)(args, kwargs)
        program = self._programs.get(key)
        if program is None:
            program = self._traced(key, args, kwargs, arrays)
        else:
            self._recent.append(False)
        if recording.is_recording() and isinstance(program, Compiled) and not program.has_gradient:
            program = self._for_tapes(key, args, kwargs, arrays)
        if isinstance(program, OnHost):
            return program(args, kwargs)
        if recording.is_recording():
            return program.on_tensors(tensors_in((args, kwargs), arrays))
        return program(arrays)

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        """Return the program for one kind of arguments: a `tf.TensorSpec` in the place of each tensor, or values.

        >>> import hornbeam as tf
        >>> power = tf.function(lambda x, n: x**n)
        >>> square = power.get_concrete_function(tf.TensorSpec([None], tf.float32), 2)
        >>> square(tf.constant([3.0])).numpy(), square.structured_outputs
        (array([9.], dtype=float32), TensorSpec(shape=(None,), dtype=tf.float32, name=None))
        """
        if self._input_signature is not None and not args and not kwargs:
            args = self._input_signature.specs
        return ConcreteFunction(self, *self._bound(args, kwargs))

    def block_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> block.Block | None:
        """Return what is traced for arguments in the order of the parameters; None for what Python runs."""
        try:
            key, arrays = self._key(args, kwargs)
        except Texts:
            return None
        program = self._programs.get(key) or self._traced(key, args, kwargs, arrays)
        return program.block if isinstance(program, Compiled) else None

    def _key(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, list[Any]]:
        return key_of(
            (args, kwargs), (scope.autocast_dtype(), config.surroundings()), self._programs
        )

    def _bound(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments in one form, however they were written, with the defaults."""
        if self._input_signature is not None:
            return self._input_signature.cast(args, kwargs), {}
        if self._signature is None or (not kwargs and len(args) == self._positional):
            return args, kwargs
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(
                f"Binding inputs to tf.function failed due to `{error}`. Received args: {args} and kwargs: {kwargs} "
                f"for signature: {self._signature}."
            ) from None
        bound.apply_defaults()
        return bound.args, bound.kwargs

    def _inline(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run as a part of the program that is being traced."""
        return as_tensors(self._run(*args, **kwargs))

    def _for_tapes(
        self, key: Any, args: tuple[Any, ...], kwargs: dict[str, Any], arrays: list[Any]
    ) -> Compiled | OnHost:
        """Return the program of a call that a tape follows, where another one ends its loops by conditions."""
        of_tapes = ("tapes", *key)
        program = self._programs.get(of_tapes)
        if program is None:
            with for_tapes():
                program = self._traced(of_tapes, args, kwargs, arrays)
            if isinstance(program, Compiled) and not program.has_gradient:
                program = self._on_host_for_gradients()
                self._programs.put(of_tapes, program)
        return program

    def _on_host_for_gradients(self) -> OnHost:
        warn(
            f"{self._name} runs as Python at each call, slowly: a gradient goes back through a loop whose number of turns "
            "depends on values, which no program can do. Let the loop go over a range with a known bound, and leave it by "
            "`break`: `for i in tf.range(100): if done: break`."
        )
        return OnHost(self._python_function)

    def _traced(
        self, key: Any, args: tuple[Any, ...], kwargs: dict[str, Any], arrays: list[Any]
    ) -> Compiled | OnHost:
        with self._lock:
            program = self._programs.get(key)
            if program is None:
                try:
                    with effects.collected() as errors:
                        program = Compiled(self._block(args, kwargs, arrays), errors)
                except Exception as error:
                    if needs_turns(error):
                        program = self._on_host_for_gradients()
                    elif needs_values(error):
                        program = OnHost(self._python_function)
                    else:
                        raise
                self._programs.put(key, program)
                self._recent.append(True)
                self._warn_of_many_traces()
            return program

    def _block(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], arrays: list[Any]
    ) -> block.Block:
        """Trace, and again where the first trace makes variables, which then exist."""

        def run(*tensors: Tensor) -> Any:
            self._traces += 1
            filled, named = with_tensors((args, kwargs), tensors)
            every = [*filled, *named.values()]
            before = list(map(form_of, every))
            outputs = self._run(*filled, **named)
            self._refuse_changes(changed(every, before), [*self._names(filled), *named])
            return outputs

        run.__name__ = self._name
        name_as(run, self._python_function)
        shapes = [jax.ShapeDtypeStruct(array.shape, array.dtype) for array in arrays]
        late = None
        if self._has_traced:
            late = (
                f"Creating variables on a non-first call to a function decorated with tf.function: {self._name} makes {{}}, "
                "though it was called before. Make variables at the first call, or outside, and keep them."
            )
        made = traced(lambda: block.trace(kept(run), shapes, late))
        self._refuse_leaks(made)
        self._has_traced = True
        if not made.made:
            return made
        made.draw(arrays)  # the Python code keeps the variables, whatever follows
        again = (
            "tf.function only supports singleton tf.Variables created on the first call. Make sure the tf.Variable is only "
            f"created once or created outside tf.function: {self._name} makes {{}} on every call. Write "
            "`if self.v is None: self.v = tf.Variable(...)`, or make it before."
        )
        return traced(lambda: block.trace(kept(run), shapes, again))

    def _names(self, args: Sequence[Any]) -> list[str]:
        names = list(self.parameters)
        return [names[i] if i < len(names) else f"argument {i}" for i in range(len(args))]

    def _refuse_changes(self, places: list[int], names: list[str]) -> None:
        """Raise ValueError where the function changed a list or dict among its arguments, which is a copy."""
        if places:
            raise ValueError(
                f"{self._name} should not modify its Python input arguments: it runs when it is traced, and never again. "
                "Modifying a copy is allowed; return what is new. The following parameter(s) were modified: "
                f"{', '.join(names[place] for place in places)}."
            )

    def _refuse_leaks(self, made: block.Block) -> None:
        """Raise TypeError where the function uses a tensor of a branch or loop that is over."""
        for constant in made.jaxpr.consts:
            if (lost := lost_with(constant)) is not None:
                raise TypeError(
                    f"{self._name} uses a tensor of shape {constant.shape} and type {constant.dtype} outside of the function, "
                    f"branch or loop{maker(lost)} that made it. Return it from the function; assign it to a name, so that the "
                    "branch or loop hands it on; collect the values of turns in a tf.TensorArray instead of a list."
                )

    def _warn_of_many_traces(self) -> None:
        if sum(self._recent) < _TRACES or self._warned:
            return
        self._warned = True
        warn(
            f"{sum(self._recent)} out of the last {len(self._recent)} calls to {self._name} triggered tf.function "
            "retracing. Tracing is expensive. It may be due to (1) creating @tf.function repeatedly in a loop, (2) passing "
            "tensors with different shapes, (3) passing Python objects or numbers instead of tensors: pass "
            "tf.constant(number)."
        )

    def __get__(self, instance: Any, owner: type | None = None) -> Function:
        """Return the function as a method of an object, which has its own programs."""
        if instance is None:
            return self
        key = id(instance)
        found = self._methods.get(key)
        if found is not None and found[0]() is instance:
            return found[1]
        reference = weakref.ref(instance, lambda _: self._methods.pop(key, None))
        method = Function(
            _method(self._python_function, self._run, reference),
            self._name,
            autograph=False,  # `_run` does it
            **self._options,
        )
        method._input_signature = (
            None
            if self._input_signature is None
            else InputSignature(self._input_signature.specs, method._python_function)
        )
        self._methods[key] = reference, method
        return method

    def __repr__(self) -> str:
        return f"<hornbeam.control.function.Function {self._name} at {id(self):#x}>"


def _method(
    function: Callable[..., Any], run: Callable[..., Any], reference: weakref.ref[Any]
) -> Callable[..., Any]:
    """Return `run`, which calls `function`, with its first argument taken from a weak reference."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        instance = reference()
        if instance is None:
            raise ReferenceError(
                f"The object whose method {function.__qualname__} was taken is gone: a tf.function holds it weakly. Keep "
                "the object."
            )
        return run(instance, *args, **kwargs)

    if (signature := _signature(function)) is not None:
        rest = list(signature.parameters.values())[1:]
        vars(call)["__signature__"] = signature.replace(parameters=rest)
    return call


def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    """Return the signature, or None for a builtin that has none."""
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None


def _positional(signature: inspect.Signature | None) -> int:
    """Return the number of parameters if they are all positional, else -1."""
    if signature is None:
        return -1
    kinds = {each.kind for each in signature.parameters.values()}
    is_plain = kinds <= {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    return len(signature.parameters) if is_plain else -1


def function(
    func: Callable[..., Any] | None = None,
    input_signature: Sequence[Any] | None = None,
    autograph: bool = True,
    jit_compile: bool | None = None,
    reduce_retracing: bool = False,
    experimental_implements: str | None = None,
    experimental_autograph_options: Any = None,
    experimental_attributes: Any = None,
    experimental_relax_shapes: bool | None = None,
    experimental_compile: bool | None = None,
    experimental_follow_type_hints: bool | None = None,
) -> Any:
    """Compile a Python function, or return a decorator that does so.

    With `input_signature`, a list of `tf.TensorSpec`, the arguments become tensors of these types; what does not fit
    raises TypeError. A None in a shape is compiled once for each size that comes. All programs are compiled, so
    `jit_compile` and the `experimental_` arguments, as `reduce_retracing`, are accepted and change nothing.

    >>> import hornbeam as tf
    >>> v = tf.Variable(1.0)
    >>> @tf.function
    ... def add(x):
    ...     return v.assign_add(x)
    >>> print(float(add(2.0)), float(add(2.0)), float(v))
    3.0 5.0 5.0
    """
    options = {
        "jit_compile": jit_compile,
        "reduce_retracing": reduce_retracing or bool(experimental_relax_shapes),
        "experimental_implements": experimental_implements,
        "experimental_autograph_options": experimental_autograph_options,
        "experimental_attributes": experimental_attributes,
        "experimental_compile": experimental_compile,
        "experimental_follow_type_hints": experimental_follow_type_hints,
    }

    def decorate(each: Callable[..., Any]) -> Function:
        return Function(each, None, input_signature, autograph, **options)

    return decorate if func is None else decorate(func)
