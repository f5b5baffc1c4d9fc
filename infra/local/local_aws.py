"""Starts ministack 1.5.33 with two corrections, so that it takes included stacks as AWS does.

Both are about `AWS::CloudFormation::Stack`: the included template is not transformed, and an update of it forgets the
attributes of resources that did not change, so that the next `Fn::GetAtt` of one fails. For the outer template ministack
does both right.
"""

from typing import Any

from ministack.app import main
from ministack.services.cloudformation import _stacks, engine, provisioners

parse = engine._parse_template
update = provisioners._update_resource


def parse_and_transform(text: str) -> dict[str, Any]:
    """Included templates alone are read by this name of the module; all else imported it before."""
    template: dict[str, Any] = engine._apply_transforms(parse(text))
    return template


def update_with_attributes(
    resource_type: str,
    physical_id: str,
    old_props: dict[str, Any],
    new_props: dict[str, Any],
    stack_name: str,
    logical_id: str | None = None,
    old_attrs: dict[str, Any] | None = None,
) -> tuple[Any, ...]:
    """Where it is not told the attributes, they are those that the stack has."""
    if old_attrs is None:
        resource = _stacks.get(stack_name, {}).get("_resources", {}).get(logical_id, {})
        old_attrs = resource.get("Attributes")
    updated: tuple[Any, ...] = update(
        resource_type, physical_id, old_props, new_props, stack_name, logical_id, old_attrs
    )
    return updated


if __name__ == "__main__":
    engine._parse_template = parse_and_transform
    provisioners._update_resource = update_with_attributes
    main()
