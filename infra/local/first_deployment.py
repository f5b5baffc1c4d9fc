"""Shows on the local AWS what a first deployment does: one that fails at its end leaves nothing behind, and
`sam deploy` needs nothing but what samconfig.toml asks for, with `--guided` nothing but Enter.

`python first_deployment.py TRANSFORMED SAM`: the templates as CloudFormation gets them, by their paths, and the
program. Run in the repository's root.

A deployment that is to fail gets one more resource, which fails after all others. The local AWS rolls back by itself,
and by DeletionPolicy, but deletes a table of a stack without asking DynamoDB. DynamoDB itself respects deletion
protection: so the rollback of the tables is played by its DeleteTable, as CloudFormation calls it.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import boto3

REGION = "eu-central-1"
TEMPLATE = "template.yaml"
FAILING = "FailsLast"
NOWHERE = f"arn:aws:lambda:{REGION}:000000000000:function:nowhere"
# Values that the operator has to provide; all others have a default.
PARAMETERS = {"OperatorArn": "arn:aws:iam::000000000000:root", "MrsBaseUrl": "https://mrs.invalid/MRS"}
PATIENCE = 120


def client(service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=os.environ["AWS_ENDPOINT_URL"],
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


class Deployment:
    """Templates in a bucket, with code that is never run, and a resource that fails."""

    def __init__(self, templates: dict[str, Any]) -> None:
        self.cloudformation = client("cloudformation")
        self.dynamodb = client("dynamodb")
        self.s3 = client("s3")
        self.bucket = f"first-{uuid.uuid4().hex[:12]}"
        self.s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("bootstrap", "#!/bin/sh\n")
        self.s3.put_object(Bucket=self.bucket, Key="code.zip", Body=code.getvalue())
        self.keys = ["code.zip"]
        resources = templates[TEMPLATE]["Resources"]
        resources[FAILING] = {
            "Type": "AWS::CloudFormation::CustomResource",
            "DependsOn": [name for name, resource in resources.items() if "Condition" not in resource],
            "Properties": {"ServiceToken": NOWHERE},
        }
        for path, template in templates.items():
            for resource in template["Resources"].values():
                if resource["Type"] == "AWS::Lambda::Function":
                    resource["Properties"]["Code"] = {"S3Bucket": self.bucket, "S3Key": "code.zip"}
                if resource["Type"] == "AWS::CloudFormation::Stack":
                    url = resource["Properties"]["TemplateURL"]
                    included = next(path for path in templates if url.endswith(path))
                    resource["Properties"]["TemplateURL"] = self.url(included)
            self.s3.put_object(Bucket=self.bucket, Key=path, Body=json.dumps(template))
            self.keys.append(path)

    def url(self, path: str) -> str:
        return f"{os.environ['AWS_ENDPOINT_URL']}/{self.bucket}/{path}"

    def create(self, on_failure: str, **parameters: str) -> tuple[str, str]:
        """Creates a stack and waits for its end; gives its name and status."""
        stack = f"first-{uuid.uuid4().hex[:8]}"
        self.cloudformation.create_stack(
            StackName=stack,
            TemplateURL=self.url(TEMPLATE),
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            OnFailure=on_failure,
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value} for name, value in {**PARAMETERS, **parameters}.items()
            ],
        )
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            status = self.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
            if not status.endswith("_IN_PROGRESS"):
                return stack, status
            time.sleep(0.2)
        raise SystemExit(f"{stack} is not done after {PATIENCE} s")

    def tables(self, stack: str) -> list[str]:
        resources = self.cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
        return [
            resource["PhysicalResourceId"]
            for resource in resources
            if resource["ResourceType"] == "AWS::DynamoDB::Table"
        ]

    def roll_tables_back(self, stack: str) -> list[str]:
        """Deletes the tables as CloudFormation does; gives those that DynamoDB refused, and deletes them, too."""
        refused = []
        for table in self.tables(stack):
            try:
                self.dynamodb.delete_table(TableName=table)
            except self.dynamodb.exceptions.ClientError:
                refused.append(table)
                self.dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
                self.dynamodb.delete_table(TableName=table)
        self.cloudformation.delete_stack(StackName=stack)
        return refused

    def end(self) -> None:
        for key in self.keys:
            self.s3.delete_object(Bucket=self.bucket, Key=key)
        self.s3.delete_bucket(Bucket=self.bucket)


def inventory() -> set[tuple[str, str]]:
    """Everything that a stack of ours could leave. A key that waits for its deletion is none any more."""
    lists: dict[str, Callable[[], Iterable[str]]] = {
        "table": lambda: client("dynamodb").list_tables()["TableNames"],
        "role": lambda: [role["RoleName"] for role in client("iam").list_roles()["Roles"]],
        "secret": lambda: [secret["Name"] for secret in client("secretsmanager").list_secrets()["SecretList"]],
        "function": lambda: [one["FunctionName"] for one in client("lambda").list_functions()["Functions"]],
        "mapping": lambda: [
            one["UUID"] for one in client("lambda").list_event_source_mappings()["EventSourceMappings"]
        ],
        "bucket": lambda: [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]],
        "log group": lambda: [group["logGroupName"] for group in client("logs").describe_log_groups()["logGroups"]],
        "queue": lambda: client("sqs").list_queues().get("QueueUrls", []),
        "rule": lambda: [rule["Name"] for rule in client("events").list_rules()["Rules"]],
        "API": lambda: [api["id"] for api in client("apigateway").get_rest_apis()["items"]],
        "key": keys,
    }
    return {(kind, name) for kind, names in lists.items() for name in names()}


def keys() -> list[str]:
    kms = client("kms")
    ids = [key["KeyId"] for key in kms.list_keys()["Keys"]]
    state = {key: kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] for key in ids}
    return [key for key in ids if state[key] != "PendingDeletion"]


def check(holds: bool, sentence: str) -> None:
    print(("  " if holds else "  FAILED: ") + sentence)
    if not holds:
        raise SystemExit(1)


class Operator:
    """Somebody with a copy of the repository, built functions and `sam`."""

    UNFILLED = "arn:aws:iam::ACCOUNT:role/ROLE"

    def __init__(self, sam: str, folder: Path) -> None:
        self.sam = sam
        self.folder = folder
        self.stack = f"operator-{uuid.uuid4().hex[:8]}"
        for template in [Path(TEMPLATE), *Path("infra").glob("*.yaml")]:
            target = folder / template
            target.parent.mkdir(exist_ok=True)
            shutil.copy(template, target)
            for line in template.read_text(encoding="utf-8").splitlines():
                if "CodeUri:" in line:
                    code = target.parent / line.split()[1]
                    code.mkdir(parents=True)
                    (code / "bootstrap").write_text("#!/bin/sh\n")
        self.say(
            Path("samconfig.toml").read_text(encoding="utf-8"),
            'stack_name = "card-enrollment"',
            f'stack_name = "{self.stack}"',
        )

    def say(self, config: str, before: str, after: str) -> None:
        if before not in config:
            raise SystemExit(f"samconfig.toml does not say {before}")
        (self.folder / "samconfig.toml").write_text(config.replace(before, after), encoding="utf-8")

    def fill_in(self, before: str, after: str) -> None:
        self.say((self.folder / "samconfig.toml").read_text(encoding="utf-8"), before, after)

    def deploy(self, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.sam, "deploy", "--no-confirm-changeset", *options],
            cwd=self.folder,
            input="\n" * 100,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def status(self) -> str:
        cloudformation = client("cloudformation")
        try:
            stack = cloudformation.describe_stacks(StackName=self.stack)["Stacks"][0]
        except cloudformation.exceptions.ClientError:
            return "none"
        return str(stack["StackStatus"])


def operator_deploys(sam: str, deployment: Deployment) -> None:
    with tempfile.TemporaryDirectory() as folder:
        operator = Operator(sam, Path(folder))
        done = operator.deploy()
        refused = "OperatorArn has to be the ARN" in done.stderr + done.stdout
        check(
            refused and operator.status() == "none",
            "without the operator's ARN `sam deploy` says so and makes no stack",
        )
        operator.fill_in(operator.UNFILLED, "arn:aws:iam::000000000000:role/operator")
        done = operator.deploy("--guided")
        check(
            done.returncode == 0 and operator.status() == "CREATE_COMPLETE",
            f"`sam deploy --guided` goes through with Enter alone{trouble(done)}",
        )
        operator.fill_in('DeletionProtection=\\"false\\"', 'DeletionProtection=\\"true\\"')
        done = operator.deploy()
        check(
            done.returncode == 0,
            f"the second deployment takes the configuration that the first one saved{trouble(done)}",
        )
        refused_tables = deployment.roll_tables_back(operator.stack)
        check(len(refused_tables) > 0, f"and protects the {len(refused_tables)} tables")


def trouble(done: subprocess.CompletedProcess[str]) -> str:
    return "" if done.returncode == 0 else f":\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        deployment = Deployment(json.load(file))
    try:
        before = inventory()
        stack, status = deployment.create("ROLLBACK")
        check(status == "ROLLBACK_COMPLETE", f"a first deployment that fails ends as {status}")
        left = inventory() - before
        check(not left, f"it leaves {sorted(left) or 'nothing'}")
        deployment.cloudformation.delete_stack(StackName=stack)

        stack, status = deployment.create("DO_NOTHING")
        count = len(deployment.tables(stack))
        refused = deployment.roll_tables_back(stack)
        check(count > 0 and not refused, f"DynamoDB deletes all of its {count} tables")
        # So that the check above can fail.
        stack, _ = deployment.create("DO_NOTHING", DeletionProtection="true")
        refused = deployment.roll_tables_back(stack)
        check(len(refused) == count, f"with DeletionProtection it deletes {count - len(refused)} of them")
        operator_deploys(sys.argv[2], deployment)
    finally:
        deployment.end()


if __name__ == "__main__":
    main()
