"""Enforcement, by its effects: what each operation asks of IAM is what AWS's service authorization reference says it asks.

The calls are the recipes of members_<service>.py, made by users whose policies are made for the question:

- A user without policies gets a denial from every operation (but those that AWS lets anyone make), whatever the members.
- A denial names an action and a resource. Granting exactly that, again and again, lets the call pass: so these are all
  its questions. Each action is one of the reference, each resource one of the action's resource types.
- A user who may do everything, but is denied when a condition key is present, is denied for the keys that the reference
  lists for the action (each in some call of the recipe), and not for any other key of the service.

The reference: models/authorization/<service>.json, made by tools/authorization_reference.py."""

import concurrent.futures
import copy
import dataclasses
import json
import re

import botocore.exceptions
import pytest

import members
from cloud import REGION, ROOT

RECIPES = members.load_recipes()
CONTRACTS = members.contracts()
PENDING = members.load_pending()
REFERENCE = {p.stem: json.loads(p.read_text()) for p in (ROOT / "models/authorization").glob("*.json")}
EACH = [(service, operation) for service in RECIPES for operation in RECIPES[service]]

# AWS lets every caller make these; who calls with an identity provider's token is not a user at all.
FOR_EVERYONE = {("sts", "GetCallerIdentity"), ("sts", "GetSessionToken"), ("sts", "AssumeRoleWithSAML"), ("sts", "AssumeRoleWithWebIdentity")}
# Operations whose action has another name.
ACTION_OF = {("lambda", "Invoke"): "lambda:InvokeFunction"}
DENIALS = ("AccessDenied", "AccessDeniedException")
DENIAL = re.compile(r"is not authorized to perform: (\S+) on resource: (\S+)")
# Keys that no call here can give, and why; ResourceTag and RequestTag are looked for wherever there are tags.
NOT_GIVEN = {
    "iam:RoleTemplateARN": "role templates are not spoken",
    **{f"iam:{key}": "of security keys: MFA devices are virtual ones"
       for key in ("FIDO-certification", "FIDO-FIPS-140-2-certification", "FIDO-FIPS-140-3-certification", "RegisterSecurityKey")},
    "lambda:CodeSigningConfigArn": "refused by name", "lambda:Layer": "refused by name", "lambda:SecurityGroupIds": "refused by name",
    "lambda:SubnetIds": "refused by name", "lambda:VpcIds": "refused by name",
    "lambda:EventSourceToken": "of Alexa skills", "lambda:InvokedViaFunctionUrl": "function URLs are not spoken",
    "logs:data_source_name": "refused by name", "logs:data_source_type": "refused by name",
}
NOT_GIVEN_BY = {("AddRoleToInstanceProfile", "iam:AssociatedResourceArn"): "no instance is known yet"}
# Keys that are still to be given: the test fails as soon as one is, so that it is taken out here.
TAGS_OF_RESOURCE = {"aws:ResourceTag/${TagKey}", "iam:ResourceTag/${TagKey}"}
TO_BE_GIVEN = {
    **{f"iam:{verb}ServiceSpecificCredential": {"iam:ServiceSpecificCredentialServiceName"} for verb in ("Update", "Reset", "Delete")},
    "iam:GenerateServiceLastAccessedDetails": TAGS_OF_RESOURCE, "iam:ListPoliciesGrantingServiceAccess": TAGS_OF_RESOURCE,
    "iam:GetContextKeysForPrincipalPolicy": TAGS_OF_RESOURCE, "iam:SimulatePrincipalPolicy": TAGS_OF_RESOURCE,
}
# A report is for who asked for it, and these ask with users who did not.
NOT_THEIRS = ("GetServiceLastAccessedDetails", "GetServiceLastAccessedDetailsWithEntities")
# Given although the reference does not list them: trust policies name AssumeRole, TagSession and SetSourceIdentity in one
# statement, whose conditions then speak of the whole request.
REQUEST_OF_A_SESSION = ("sts:ExternalId", "sts:RoleSessionName", "sts:SourceIdentity", "sts:TransitiveTagKeys")
MORE_GIVEN = {"sts:TagSession": REQUEST_OF_A_SESSION, "sts:SetSourceIdentity": REQUEST_OF_A_SESSION}
# Federation's keys are in the reference of AssumeRole because a federated principal's session may assume a role.
FEDERATED = re.compile(r"(accounts\.google\.com|cognito-identity|graph\.facebook|saml|www\.amazon|token\.actions|gitlab|agent\.|github)")
# AWS asks these with a resource of the account although the reference lists none: its denials name
# arn:aws:logs:<region>:<account>:log-group::log-stream:… and arn:aws:iam::<account>:user/.
WIDE_RESOURCE = {"logs:DescribeLogGroups": "log-group", "logs:ListLogGroups": "log-group", "iam:ListUsers": "user", "iam:ListGroups": "group",
                 "iam:ListRoles": "role", "iam:ListInstanceProfiles": "instance-profile", "iam:ListPolicies": "policy",
                 "iam:ListVirtualMFADevices": "mfa", "iam:ListServerCertificates": "server-certificate",
                 "iam:ListOpenIDConnectProviders": "oidc-provider", "iam:ListSAMLProviders": "saml-provider"}
# A function's ARN may be qualified where the reference says "function".
NARROWER = {"function": ("function alias", "function version"), "log-group": ("log-stream",)}


def service_of(action):
    return action.split(":")[0]


def listed(action):
    return REFERENCE[service_of(action)]["actions"].get(action.split(":")[1])


# --- the reference's ARNs --------------------------------------------------------------------------------------------

def pattern_of(arn, account):
    known = {"Partition": "aws", "Region": REGION, "Account": f"(?:{account}|aws)"}
    return re.sub(r"\\\$\\\{(\w+)\\\}", lambda m: known.get(m[1], ".+"), re.escape(arn)) + r"(?::\*)?"


def types_of(action, resource, account):
    """The action's resource types that the ARN is one of."""
    service = REFERENCE[service_of(action)]
    names = set(listed(action)["resources"]) | {WIDE_RESOURCE[action]} if action in WIDE_RESOURCE else set(listed(action)["resources"])
    names |= {narrow for name in names for narrow in NARROWER.get(name, ())}
    wide = resource.replace(":log-group::", ":log-group:*:") + "*" if action in WIDE_RESOURCE else resource
    return [n for n in sorted(names) if n in service["resources"] and re.fullmatch(pattern_of(service["resources"][n]["arn"], account), wide)]


def keys_of(action, types):
    service = REFERENCE[service_of(action)]
    keys = set(listed(action)["keys"]) | {k for t in types for k in service["resources"][t]["keys"]}
    return keys - TO_BE_GIVEN.get(action, set())


# --- calls by users --------------------------------------------------------------------------------------------------

AUDIT = "audit"  # the key of the tag that resources carry


def decorated(world):
    """Tags and boundaries for what the recipe made, as far as it did."""
    world.tagged = []
    arn = f"arn:aws:iam::{world.account}:"
    tags = [{"Key": AUDIT, "Value": "1"}]
    log_group, function = f"arn:aws:logs:{REGION}:{world.account}:log-group:app", f"arn:aws:lambda:{REGION}:{world.account}:function:probe"
    read_only = {"PermissionsBoundary": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    for service, operation, values, tagged in (
            ("iam", "TagUser", {"UserName": "ann", "Tags": tags}, arn + "user/ann"),
            ("iam", "TagRole", {"RoleName": "reader", "Tags": tags}, arn + "role/reader"),
            ("iam", "TagPolicy", {"PolicyArn": arn + "policy/one", "Tags": tags}, arn + "policy/one"),
            ("iam", "TagInstanceProfile", {"InstanceProfileName": "box", "Tags": tags}, arn + "instance-profile/box"),
            ("iam", "PutUserPermissionsBoundary", {"UserName": "ann", **read_only}, None),
            ("iam", "PutRolePermissionsBoundary", {"RoleName": "reader", **read_only}, None),
            ("logs", "TagLogGroup", {"logGroupName": "app", "tags": {AUDIT: "1"}}, log_group),
            ("lambda", "TagResource", {"Resource": function, "Tags": {AUDIT: "1"}}, function)):
        if service in world.audited:
            try:
                world.call(service, operation, values)
                world.tagged += [tagged] if tagged else []
            except botocore.exceptions.ClientError:
                pass  # the recipe has none of it


@dataclasses.dataclass
class Run:
    """One call of a recipe: the baseline, or with one member."""
    label: str
    values: dict
    given: tuple
    asked: list = dataclasses.field(default_factory=list)  # (action, resource with <account>)
    tagged: set = dataclasses.field(default_factory=set)

    def tag_keys(self):
        for name, value in self.values.items():
            if name.lower() == "tags":
                yield from value if isinstance(value, dict) else [t["Key"] if isinstance(t, dict) else t for t in value]


class Trial:
    def __init__(self, clients, contract, recipe):
        self.proof = members.Proof(clients, contract, recipe)
        self.service, self.operation = recipe.call.service, recipe.call.operation

    def runs(self):
        recipe, contract = self.proof.recipe, self.proof.contract
        yield Run("the call itself", recipe.call.input, recipe.given + (decorated,))
        for path, _, below in contract.members(self.operation):
            if (below and path not in recipe.members) or contract.refusal(self.operation, path):
                continue
            variant = self.proof.value_of(path)
            if isinstance(variant, members.AsAws):
                continue
            variant = variant if isinstance(variant, members.But) else members.But(variant)
            values = self.proof.set({**recipe.call.input, **variant.base}, path, variant.value)
            yield Run(f"with {path}", values, recipe.given + tuple(variant.given) + (decorated,))

    def attempt(self, run, statements):
        """The call by a new user: the world, and the error or None."""
        recipe = self.proof.recipe
        given = run.given
        if recipe.reads and given in self.proof.worlds:
            world = self.proof.worlds[given]
        else:
            world = members.World(self.proof.clients)
            world.audited = {self.service, "iam"} if self.service == "sts" else {self.service}
            world.do_all(given)
            if recipe.reads:
                self.proof.worlds[given] = world
        run.tagged = {t.replace(world.account, "<account>") for t in world.tagged}
        caller = world.user(*world.fill(statements))
        try:
            world.call(self.service, self.operation, copy.deepcopy(run.values), caller)
        except botocore.exceptions.ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] < 500, error
            return world, error.response["Error"]
        return world, None

    def ask(self, run):
        """Grants what is denied until nothing is, and notes the questions; gives the error that stays."""
        grants = []
        while True:
            world, error = self.attempt(run, grants)
            assert error or grants, f"{run.label}: a user without policies is answered"
            match = DENIAL.search(error["Message"]) if error and error["Code"] in DENIALS else None
            question = (match[1], match[2].replace(world.account, "<account>")) if match else None
            if not match or question in run.asked:  # something else, or denied although granted
                return error
            run.asked.append(question)
            grants.append({"Effect": "Allow", "Action": question[0], "Resource": question[1]})

    def is_denied_by(self, run, keys):
        """Whether a user who may do everything is denied when one of these (action, key) is present."""
        statements = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
        statements += [{"Effect": "Deny", "Action": action, "Resource": "*", "Condition": {"Null": {key: "false"}}} for action, key in keys]
        _, error = self.attempt(run, statements)
        return bool(error and error["Code"] in DENIALS and "explicit deny" in error["Message"])

    def check(self):
        runs = list(self.runs())
        if (self.service, self.operation) in FOR_EVERYONE:
            return []
        wrong = []
        for run in runs:
            error = self.ask(run)
            if run is runs[0]:
                assert run.asked, f"a user without policies gets {error}"
                if error and error["Code"] != self.expected_error():
                    wrong.append(f"does not pass although everything it asked is granted: {run.asked} {error}")
        expected = ACTION_OF.get((self.service, self.operation), f"{self.service}:{self.operation}")
        if runs[0].asked[0][0] != expected:
            wrong.append(f"asks {runs[0].asked[0][0]} first, not {expected}")
        asked = sorted({question for run in runs for question in run.asked})
        return wrong + self.check_questions(asked) + self.check_strangers(runs) + self.check_keys(runs)

    def expected_error(self):
        return "NoSuchEntity" if self.operation in NOT_THEIRS else self.proof.recipe.error

    def check_questions(self, asked):
        wrong = []
        for action, resource in asked:
            if service_of(action) not in REFERENCE or not listed(action):
                wrong.append(f"asks {action}, which the reference does not have")
            elif not listed(action)["resources"] and resource != "*" and action not in WIDE_RESOURCE:
                wrong.append(f"asks {action} on {resource}; the reference has no resources for it")
            elif listed(action)["resources"] and not types_of(action, resource, "<account>"):
                wrong.append(f"asks {action} on {resource}, which is none of {listed(action)['resources']}")
        return wrong

    def expanded(self, run, action, resource, keys):
        """Keys as this call would give them."""
        for key in sorted(keys):
            if key in NOT_GIVEN or FEDERATED.match(key) or (self.operation, key) in NOT_GIVEN_BY:
                continue
            if key == "aws:RequestTag/${TagKey}":
                for tag in run.tag_keys():
                    yield key, f"aws:RequestTag/{tag}"
            elif key.endswith(":ResourceTag/${TagKey}"):
                if any(resource == t or resource.startswith(t + ":") for t in run.tagged):
                    yield key, key.replace("${TagKey}", AUDIT)
            elif "${" not in key:
                yield key, key

    def check_strangers(self, runs):
        wrong, checked = [], set()
        for run in runs:
            strangers = set()
            for action, resource in run.asked:
                if service_of(action) not in REFERENCE or not listed(action):
                    continue
                known = keys_of(action, types_of(action, resource, "<account>")) | set(MORE_GIVEN.get(action, ()))
                strangers |= {(action, real) for _, real in self.expanded(run, action, resource, set(REFERENCE[service_of(action)]["keys"]) - known)}
            if strangers <= checked:
                continue
            checked |= strangers
            if self.is_denied_by(run, sorted(strangers)):
                which = [s for s in sorted(strangers) if self.is_denied_by(run, [s])]
                wrong.append(f"{run.label}: gives keys that the reference does not list: {which}")
        return wrong

    def check_keys(self, runs):
        wanted, found = {}, set()
        for run in runs:
            for action, resource in run.asked:
                if service_of(action) in REFERENCE and listed(action):
                    for name, real in self.expanded(run, action, resource, keys_of(action, types_of(action, resource, "<account>"))):
                        wanted.setdefault((action, name), []).append((run, real))
        for (action, name), places in wanted.items():
            if any(self.is_denied_by(run, [(action, real)]) for run, real in places):
                found.add((action, name))
        return [f"{action}: the key {name} is never given" for action, name in sorted(wanted) if (action, name) not in found]


@pytest.fixture(scope="module")
def trials(cloud, request):
    clients = members.Clients(cloud.url, list(CONTRACTS))
    chosen = [item.callspec.params for item in request.session.items if item.fspath == request.path and hasattr(item, "callspec")]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        yield {(p["service"], p["operation"]): pool.submit(Trial(clients, CONTRACTS[p["service"]], RECIPES[p["service"]][p["operation"]]).check)
               for p in chosen if "operation" in p}


@pytest.mark.parametrize("service, operation", EACH, ids=[".".join(e) for e in EACH])
def test_asks_what_the_reference_says(trials, service, operation):
    wrong = trials[service, operation].result()
    assert not wrong, "\n".join(wrong)


def test_every_operation_is_asked_about():
    pending = {(s, o) for s, operations in PENDING.items() for o in operations}
    spoken = {(s, o) for s, c in CONTRACTS.items() for o in c.operations}
    assert not pending & set(EACH), f"members_pending.json: these have recipes, take them out: {sorted(pending & set(EACH))}"
    assert not pending - spoken, f"members_pending.json: not spoken: {sorted(pending - spoken)}"
    assert spoken - pending == set(EACH)
    if pending:
        pytest.skip(f"no recipe yet: {len(pending)} operations of members_pending.json")
