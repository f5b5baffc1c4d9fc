"""Writes a SAM template as CloudFormation gets it: `python transform.py TEMPLATE`, JSON on standard output.

SAM's own translator, as `sam validate` runs it; addresses of packages stand where `sam deploy` puts them. Needs no AWS.
"""

import json
import sys
from typing import Any

from samcli.lib.translate.sam_template_validator import SamTemplateValidator
from samcli.yamlhelper import yaml_parse

REGION = "eu-central-1"
PACKAGED = f"https://s3.{REGION}.amazonaws.com/bucket/packaged.template"


class NoManagedPolicies:
    """SAM asks AWS for names of managed policies, which this template does not use."""

    def load(self) -> dict[str, str]:
        return {}


def transform(path: str) -> dict[str, Any]:
    with open(path, encoding="utf-8") as file:
        source = yaml_parse(file.read())
    validator = SamTemplateValidator(source, NoManagedPolicies(), region=REGION)
    template: dict[str, Any] = yaml_parse(validator.get_translated_template_if_valid())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::CloudFormation::Stack":
            resource["Properties"]["TemplateURL"] = PACKAGED
    return template


if __name__ == "__main__":
    json.dump(transform(sys.argv[1]), sys.stdout, indent=1)
