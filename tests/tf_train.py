"""tf.train.Example and SequenceExample by Google's own protobuf library: a reference that shares no code with ours."""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]  # protobuf ships no types

_FIELD = descriptor_pb2.FieldDescriptorProto
LISTS = (("BytesList", _FIELD.TYPE_BYTES), ("FloatList", _FIELD.TYPE_FLOAT), ("Int64List", _FIELD.TYPE_INT64))


def messages(*, packed: bool = True) -> dict[str, Any]:
    """Return the message classes by name; with `packed` False numbers are written one by one."""
    package = f"train{packed}"
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for name, kind in LISTS:
        field = file.message_type.add(name=name).field.add(
            name="value", number=1, type=kind, label=_FIELD.LABEL_REPEATED
        )
        if kind != _FIELD.TYPE_BYTES:
            field.options.packed = packed
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, (name, _) in enumerate(LISTS, start=1):
        single(feature, f"{name[:-4].lower()}_list", number, f".{package}.{name}").oneof_index = 0
    a_map(file.message_type.add(name="Features"), "feature", f".{package}.Feature", package)
    repeated = file.message_type.add(name="FeatureList").field.add(name="feature", number=1, type=_FIELD.TYPE_MESSAGE)
    repeated.label, repeated.type_name = _FIELD.LABEL_REPEATED, f".{package}.Feature"
    a_map(file.message_type.add(name="FeatureLists"), "feature_list", f".{package}.FeatureList", package)
    single(file.message_type.add(name="Example"), "features", 1, f".{package}.Features")
    sequence = file.message_type.add(name="SequenceExample")
    single(sequence, "context", 1, f".{package}.Features")
    single(sequence, "feature_lists", 2, f".{package}.FeatureLists")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    names = ("Example", "SequenceExample")
    return {n: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{n}")) for n in names}


def single(message: Any, name: str, number: int, type_name: str) -> Any:
    field = message.field.add(name=name, number=number, type=_FIELD.TYPE_MESSAGE, type_name=type_name)
    field.label = _FIELD.LABEL_OPTIONAL
    return field


def a_map(message: Any, name: str, value_type: str, package: str) -> None:
    """map<string, value_type> name = 1"""
    entry_name = "".join(part.capitalize() for part in name.split("_")) + "Entry"
    entry = message.nested_type.add(name=entry_name)
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=_FIELD.TYPE_STRING, label=_FIELD.LABEL_OPTIONAL)
    single(entry, "value", 2, value_type)
    field = message.field.add(name=name, number=1, type=_FIELD.TYPE_MESSAGE, label=_FIELD.LABEL_REPEATED)
    field.type_name = f".{package}.{message.name}.{entry_name}"
