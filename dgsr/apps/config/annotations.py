"""Check whether a value from a YAML file fits a Python annotation, and describe what would."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, Unpack, get_args, get_origin, get_type_hints

from omegaconf import DictConfig, ListConfig

_SCALARS = (bool, int, float, str)


def parameters(target: Any) -> dict[str, inspect.Parameter]:
    """Return the parameters of a class or function by name, with annotations evaluated if possible.

    >>> def scale(image: bytes, factor: float = 2.0) -> bytes: ...
    >>> {name: parameter.annotation for name, parameter in parameters(scale).items()}
    {'image': <class 'bytes'>, 'factor': <class 'float'>}
    """
    try:
        return dict(_expanded(inspect.signature(target, eval_str=True)))
    except (NameError, AttributeError, TypeError, SyntaxError):  # names that only a type checker imports
        return dict(inspect.signature(target).parameters)
    except ValueError:  # a built-in without a signature
        return {"anything": inspect.Parameter("anything", inspect.Parameter.VAR_KEYWORD)}


def _expanded(signature: inspect.Signature) -> Iterator[tuple[str, inspect.Parameter]]:
    """Replace `**name: Unpack[SomeTypedDict]` by one keyword parameter per field."""
    for name, parameter in signature.parameters.items():
        if get_origin(parameter.annotation) is Unpack:
            for field, annotation in get_type_hints(get_args(parameter.annotation)[0]).items():
                optional = inspect.Parameter(field, inspect.Parameter.KEYWORD_ONLY, default=..., annotation=annotation)
                yield field, optional
        else:
            yield name, parameter


def fits(value: Any, annotation: Any) -> bool:
    """Return whether a value fits; types other than simple ones (a module, a tensor, a callable) accept anything.

    >>> fits(3, float), fits(3.0, int), fits(True, int)
    (True, False, False)
    >>> fits([1, 2], tuple[int, int]), fits([1, 2, 3], tuple[int, int]), fits([1, "a"], list[int])
    (True, False, False)
    >>> fits(None, int | None), fits("l3", Literal["l1", "l2"])
    (True, False)
    """
    if isinstance(value, Mapping) and "_target_" in value:
        return not _is_scalar(annotation)
    return any(_fits_one(value, option) for option in options(annotation))


def options(annotation: Any) -> Iterator[Any]:
    """Yield the members of a union.

    >>> list(options(int | list[str] | None))
    [<class 'int'>, list[str], <class 'NoneType'>]
    """
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from options(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for argument in get_args(annotation):
            yield from options(argument)
    else:
        yield NoneType if annotation is None else annotation


def describe(annotation: Any) -> str:
    """Describe the values that fit, for error messages.

    >>> describe(int | None), describe(Literal["l1", "l2"]), describe(tuple[float, float])
    ('an int or null', 'one of l1, l2', 'a list of 2 floats')
    >>> describe(list[Literal["l1", "l2"]])
    'a list of any of l1, l2'
    """
    return " or ".join(dict.fromkeys(_describe_one(option) for option in options(annotation)))


def value_annotation(annotation: Any) -> Any:
    """Return the annotation of a mapping's values, or Any.

    >>> value_annotation(Mapping[str, float] | None), value_annotation(dict), value_annotation(int)
    (<class 'float'>, typing.Any, typing.Any)
    """
    for option in options(annotation):
        origin, arguments = get_origin(option), get_args(option)
        if isinstance(origin, type) and issubclass(origin, Mapping) and len(arguments) == 2:
            return arguments[1]
    return Any


def locate(dotted: str) -> Any:
    """Import what a dotted name refers to, without Hydra's log of failures.

    >>> locate("pathlib.PurePath.suffix").__doc__.split(".")[0].strip()
    "The final component's last suffix, if any"

    Raises:
        ImportError, AttributeError, ValueError: There is no such thing.
    """
    name, *rest = dotted.split(".")
    target: Any = importlib.import_module(name)
    for part in rest:
        name = f"{name}.{part}"
        if inspect.ismodule(target) and not hasattr(target, part):
            importlib.import_module(name)
        target = getattr(target, part)
    return target


def _is_scalar(annotation: Any) -> bool:
    return all(option in (*_SCALARS, NoneType) or get_origin(option) is Literal for option in options(annotation))


def _fits_one(value: Any, annotation: Any) -> bool:
    origin, arguments = get_origin(annotation) or annotation, get_args(annotation)
    if annotation is NoneType:
        return value is None
    if origin is Literal:
        return any(value == choice and type(value) is type(choice) for choice in arguments)
    if annotation is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if annotation in _SCALARS:
        return type(value) is annotation
    if not isinstance(origin, type) or origin in (Any, object, inspect.Parameter.empty):
        return True
    if origin is Callable:  # in YAML only a node with _target_ is callable
        return False
    if issubclass(origin, PurePath):
        return isinstance(value, str)
    if issubclass(origin, Mapping) or dataclasses.is_dataclass(origin):
        return isinstance(value, DictConfig)
    if issubclass(origin, Iterable) and origin.__module__ in ("builtins", "collections.abc"):
        return isinstance(value, ListConfig | list | tuple) and _items_fit(list(value), origin, arguments)
    return value is not None and not isinstance(value, DictConfig)


def _items_fit(items: list[Any], origin: type, arguments: tuple[Any, ...]) -> bool:
    if origin is tuple and arguments and Ellipsis not in arguments:
        return len(items) == len(arguments) and all(map(fits, items, arguments))
    return all(fits(item, arguments[0]) for item in items) if arguments else True


def _describe_one(annotation: Any) -> str:
    origin, arguments = get_origin(annotation) or annotation, get_args(annotation)
    if annotation is NoneType:
        return "null"
    if origin is Literal:
        return "one of " + ", ".join(map(str, arguments))
    if annotation is str:
        return "a text"
    name = getattr(origin, "__name__", str(origin))
    if origin is Callable:
        return "a node with _target_"
    if not isinstance(origin, type) or origin in _SCALARS or not issubclass(origin, Iterable):
        return f"an {name}" if name[0] in "aeiouAEIOU" else f"a {name}"
    if issubclass(origin, Mapping):
        return "a mapping"
    if origin is tuple and arguments and Ellipsis not in arguments:
        return f"a list of {len(arguments)} {_plural(arguments[0])}"
    return f"a list of {_plural(arguments[0])}" if arguments else "a list"


def _plural(annotation: Any) -> str:
    return " or ".join(_plural_one(option) for option in options(annotation))


def _plural_one(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return "any of " + ", ".join(map(str, get_args(annotation)))
    return f"{getattr(annotation, '__name__', annotation)}s"
