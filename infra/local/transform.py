"""Writes a SAM template, and those that it includes, as CloudFormation gets them.

`python transform.py TEMPLATE`: one JSON object by their paths, on standard output. Run in the repository's root.

SAM's own translator, as `sam validate` runs it; addresses of packages stand where `sam deploy` puts them. Needs no AWS.
"""

import json
import sys
from pathlib import Path
from typing import Any

from samcli.lib.translate.sam_template_validator import SamTemplateValidator
from samcli.yamlhelper import yaml_parse

REGION = "eu-central-1"
PACKAGED = f"https://s3.{REGION}.amazonaws.com/bucket/"

Template = dict[str, Any]


class NoManagedPolicies:
    """SAM asks AWS for names of managed policies, which these templates do not use."""

    def load(self) -> dict[str, str]:
        return {}


def transform(path: Path) -> dict[str, Template]:
    """The template of the path and those that it includes; a `TemplateURL` ends in the path of its template."""
    source: Template = yaml_parse(path.read_text(encoding="utf-8"))
    validator = SamTemplateValidator(source, NoManagedPolicies(), region=REGION)
    template: Template = yaml_parse(validator.get_translated_template_if_valid())
    templates = {str(path): template}
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::CloudFormation::Stack":
            included = path.parent / source["Resources"][name]["Properties"]["TemplateURL"]
            resource["Properties"]["TemplateURL"] = PACKAGED + str(included)
            templates |= transform(included)
    return templates


if __name__ == "__main__":
    json.dump(transform(Path(sys.argv[1])), sys.stdout, indent=1)
