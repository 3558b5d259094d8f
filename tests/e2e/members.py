"""The machinery behind test_members.py: what an operation needs, and how each of its members is seen to act.

One file per service lists its recipes (members_iam.py, members_sts.py, members_logs.py, members_lambda.py).
A recipe is a declaration:

    iam = service("iam")
    ANN = iam("CreateUser", UserName="ann")              # a step: an operation and its input

    recipe(iam("CreateUser", UserName="ann"),            # the call in question, without optional members
           given=(POLICY,),                              # steps that come before it
           see=(iam("GetUser", UserName="ann"),),        # what shows its effect; without it, its own answer
           members={"Path": "/team/", "Tags.Key": "c"})  # per member a value other than the one above

A member is proved when what is seen differs from the same call without it. What is seen is compared after
times, account numbers and generated ids are taken out, and the call without the member is made twice and must look
the same, so a difference is the member's doing. An error counts only where it says that a thing of that name is not
there (NOT_THERE), or where the recipe names it: but("value", error="MalformedPolicyDocument").

- Strings may hold <account> and <name>; a step keeps values of its answer with .keep(name="Path.To.It").
- A step may also be a function of the world; it may return what is seen of it.
- but(value, given=…, see=…, base={…}, error="Code", caller="s:Action") says what one member needs besides: steps
  before, another view, members that both calls have (None takes one away), the error that it provokes, a user who is
  allowed nothing but that action to make both calls.
- as_aws(value, "quote") is for what AWS itself ignores: the model's documentation must say so in these words, and the
  member must really change nothing.
- A path enters structures, and the first element of lists ("Tags.Key").
- Members that `models/services/*.json` refuses need nothing here: each is set and must be refused by its own name.
- A structure is proved by its members. REQUIRED names that only say which thing is meant take their value from OTHER
  of the service's file.
- Calls that only read (Get…, List…, Describe…, Filter…) share one world per `given`; all others get an account of
  their own each time.
"""

import copy
import dataclasses
import datetime
import json
import pathlib
import random
import re
import threading

import botocore.config
import botocore.credentials
import botocore.exceptions
import botocore.loaders
import botocore.session

from cloud import REGION, ROOT

READS = ("Get", "List", "Describe", "Filter", "Simulate")
NOT_THERE = ("NoSuchEntity", "ResourceNotFoundException")
RECIPES = {}  # service -> operation -> Recipe
OTHERS = {}  # service -> member name -> another value


@dataclasses.dataclass(frozen=True)
class Step:
    service: str
    operation: str
    input: dict = dataclasses.field(default_factory=dict, hash=False, compare=False)
    kept: tuple = ()
    again: str = ""  # what tells steps of one operation apart

    def keep(self, **paths):
        return dataclasses.replace(self, kept=self.kept + tuple(paths.items()))


@dataclasses.dataclass
class But:
    value: object
    given: tuple = ()
    see: tuple = None
    base: dict = dataclasses.field(default_factory=dict)
    error: str = None
    caller: str = None


@dataclasses.dataclass
class AsAws:
    value: object
    quote: str


@dataclasses.dataclass
class Recipe:
    call: Step
    given: tuple
    see: tuple
    members: dict

    @property
    def reads(self):
        return self.call.operation.startswith(READS)


def service(name):
    return lambda operation, **values: Step(name, operation, values, (), json.dumps(values, sort_keys=True, default=repr))


def recipe(call, given=(), see=None, members=None):
    known = RECIPES.setdefault(call.service, {})
    assert call.operation not in known, f"two recipes for {call.operation}"
    known[call.operation] = Recipe(call, tuple(given), tuple(see) if see else None, members or {})


but, as_aws = But, AsAws


# --- the model -------------------------------------------------------------------------------------------------------

class Contract:
    """What models/services/<service>.json says and botocore's model of it."""

    def __init__(self, name):
        self.name = name
        self.config = json.loads((ROOT / "models/services" / f"{name}.json").read_text())
        self.model = botocore.loaders.Loader().load_service_model(self.config["model"], "service-2")
        self.shapes = self.model["shapes"]
        self.operations = self.config["operations"]
        self.refused = self.config.get("refused", {})
        self.refused_code = self.config.get("validation", {}).get("refused_code")

    def input_of(self, operation):
        return self.model["operations"][operation].get("input", {}).get("shape")

    def members(self, operation):
        """Every member below the input: (path, its shape's name, whether it is proved by members of its own)."""
        shape = self.input_of(operation)
        return list(self._members(shape, "", ())) if shape else []

    def _members(self, name, prefix, seen):
        shape = self.shapes[name]
        if shape["type"] in ("list", "map"):
            yield from self._members(shape["member" if shape["type"] == "list" else "value"]["shape"], prefix, seen)
        elif shape["type"] == "structure" and name not in seen:
            for member, spec in shape.get("members", {}).items():
                path = f"{prefix}.{member}" if prefix else member
                below = list(self._members(spec["shape"], path, seen + (name,)))
                yield path, spec["shape"], bool(below)
                yield from below

    def refusal(self, operation, path):
        """The refused place that covers a member: (path, values accepted), or None."""
        for place, reason in self.refused.items():
            target, refused = place.split(".", 1)
            if target == operation and (path == refused or path.startswith(refused + ".")):
                return refused, reason.get("accepts", []) if isinstance(reason, dict) else []
        return None

    def sample(self, name, avoid=(), path="", depth=0):
        """A valid value of a shape that is not its default; structures hold what is required and the path."""
        shape = self.shapes[name]
        kind = shape["type"]
        if kind == "structure":
            first, _, rest = path.partition(".")
            wanted = [m for m in shape.get("members", {}) if m in shape.get("required", []) or m == first]
            if not wanted and not path and depth < 4:
                wanted = list(shape.get("members", {}))[:1]
            return {m: self.sample(shape["members"][m]["shape"], avoid, rest if m == first else "", depth + 1) for m in wanted}
        if kind == "list":
            return [self.sample(shape["member"]["shape"], avoid, path, depth + 1) for _ in range(max(1, shape.get("min", 1)))]
        if kind == "map":
            return {self.sample(shape["key"]["shape"]): self.sample(shape["value"]["shape"], avoid, path, depth + 1)}
        if kind == "string":
            return self._text(name, shape, avoid)
        return {"boolean": True, "blob": b"a", "timestamp": 1700000000}.get(kind, max(shape.get("min", 1), 1))

    def _text(self, name, shape, avoid):
        arn = "arn:aws:{}:us-east-1:000000000000:{}"
        tries = [v for v in shape.get("enum", []) if v not in avoid] or [
            "a", "a1", "aaaaaaaaaaaa", "000000000000", "us-east-1", "/a", "/mnt/a", "1", "vpc-12345678", "subnet-12345678", "sg-12345678",
            arn.format("kms", "key/a"), arn.format("sqs", "q"), arn.format("lambda", "layer:l:1"), arn.format("iam", "role/r"),
            arn.format("elasticfilesystem", "access-point/fsap-0123456789abcdef0"),
            arn.format("lambda", "code-signing-config:csc-0123456789abcdef0"), arn.format("lambda", "capacity-provider:a"), arn.format("lambda", "runtime/aaaaaaaa"),
            "arn:aws:lambda:us-east-1::runtime:" + "0" * 64, "000000000000.dkr.ecr.us-east-1.amazonaws.com/a:b"]
        for text in tries:
            fits = shape.get("min", 0) <= len(text) <= shape.get("max", 1 << 20)
            if fits and re.fullmatch(shape.get("pattern", "[^\0]*"), text, re.DOTALL):
                return text
        raise AssertionError(f"no sample for {name}: give the member a value in its recipe")


def contracts():
    return {p.stem: Contract(p.stem) for p in sorted((ROOT / "models/services").glob("*.json"))}


# --- worlds ----------------------------------------------------------------------------------------------------------

class Caller(threading.local):
    """Credentials of the thread: a client of one service is made once and speaks for every account."""
    key, secret, token = "000000000000", "test", None

    def get_deferred_property(self, name):
        return lambda: None

    def get_frozen_credentials(self):
        return botocore.credentials.ReadOnlyCredentials(self.key, self.secret, self.token)


class Clients:
    def __init__(self, url, names):
        self.url = url
        self.caller = Caller()
        session = botocore.session.get_session()
        session._credentials = self.caller
        config = botocore.config.Config(retries={"max_attempts": 0}, read_timeout=60, parameter_validation=False, max_pool_connections=16)
        self.clients = {n: session.create_client(n, region_name=REGION, endpoint_url=url, config=config) for n in names}


class World:
    """An account of its own, and what steps kept."""

    def __init__(self, clients):
        self.clients = clients
        self.account = str(random.SystemRandom().randrange(10**11, 10**12))
        self.kept = {"account": self.account}

    def fill(self, value):
        if isinstance(value, str):
            return re.sub(r"<(\w+)>", lambda m: str(self.kept.get(m[1], m[0])), value)
        if isinstance(value, dict):
            return {self.fill(k): self.fill(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.fill(v) for v in value]
        return value(self) if callable(value) else value

    def call(self, service, operation, values=None, credentials=None):
        caller = self.clients.caller
        caller.key, caller.secret, caller.token = credentials or (self.account, "test", None)
        values = {k: v for k, v in self.fill(values or {}).items() if v is not None}
        answer = self.clients.clients[service]._make_api_call(operation, values)
        for name, value in answer.items():
            if hasattr(value, "read"):
                answer[name] = value.read()
        return answer

    def user(self, *statements):
        """Credentials of a new user of the account who may do what the statements say."""
        name = f"caller-{random.SystemRandom().randrange(1 << 40):x}"
        self.call("iam", "CreateUser", {"UserName": name})
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        if statements:
            self.call("iam", "PutUserPolicy", {"UserName": name, "PolicyName": "p", "PolicyDocument": document})
        key = self.call("iam", "CreateAccessKey", {"UserName": name})["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"], None

    def do(self, step):
        if callable(step):
            return step(self)
        answer = self.call(step.service, step.operation, step.input)
        for name, path in step.kept:
            value = answer
            for part in path.split("."):
                value = value[int(part)] if isinstance(value, list) else value[part]
            self.kept[name] = value
        return answer

    def do_all(self, steps):
        for step in steps:
            self.do(step)
        return self

    def scrubbed(self, value, name=""):
        return scrub(value, self.account, name)


GENERATED = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|AIPA|ASCA|APKA)[A-Z0-9]{12,}|\bcsc-[0-9a-z]{17}\b"
                       r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+\d{4}|\+00:00)")
SECRETS = {"SecretAccessKey", "SessionToken", "Marker", "NextMarker", "nextToken", "nextForwardToken", "nextBackwardToken", "eventId",
           "ingestionTime", "creationTime", "uploadSequenceToken", "nextSequenceToken", "Location", "RequestId", "lastIngestionTime", "SessionTokenSize", "SessionTokenUtilization"}


def scrub(value, account, name=""):
    """Without times, account numbers and generated ids: equal for two accounts in which the same was done."""
    if name in SECRETS:
        return f"<{name}>"
    if isinstance(value, datetime.datetime):
        return "<time>"
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if isinstance(value, str):
        return GENERATED.sub("<generated>", value).replace(account, "<account>")
    if isinstance(value, dict):
        return {k: scrub(v, account, k) for k, v in value.items() if k not in ("ResponseMetadata",)}
    if isinstance(value, list):
        return [scrub(v, account) for v in value]
    return value


# --- proving ---------------------------------------------------------------------------------------------------------

def with_member(contract, operation, values, path, value):
    """The input with one member set; lists are entered at their first element."""
    values = copy.deepcopy(values)
    at, parts, shape = values, path.split("."), contract.shapes[contract.input_of(operation)]
    for part in parts[:-1]:
        shape = contract.shapes[shape["members"][part]["shape"]]
        if shape["type"] == "list":
            shape = contract.shapes[shape["member"]["shape"]]
            at = at.setdefault(part, [{}])[0]
        else:
            at = at.setdefault(part, {})
    at[parts[-1]] = value
    return values


class Proof:
    """Of one operation: baselines are made once, worlds of reading calls shared."""

    def __init__(self, clients, contract, recipe):
        self.clients, self.contract, self.recipe = clients, contract, recipe
        self.operation = recipe.call.operation
        self.worlds, self.baselines = {}, {}

    def set(self, values, path, value):
        return with_member(self.contract, self.operation, values, path, value)

    def world(self, given):
        if not self.recipe.reads:
            return World(self.clients).do_all(given)
        if given not in self.worlds:
            self.worlds[given] = World(self.clients).do_all(given)
        return self.worlds[given]

    def seen(self, values, given, see, caller=None):
        """What the call shows: its error, or the views after it, or its answer."""
        world = self.world(given)
        who = world.user({"Effect": "Allow", "Action": caller, "Resource": "*"}) if caller else None
        try:
            world.answer = answer = world.call(self.recipe.call.service, self.operation, values, who)
        except botocore.exceptions.ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] < 500, error
            return world.scrubbed({"Error": error.response["Error"]})
        views = []
        for step in see or ():
            try:
                views.append(world.do(step))
            except botocore.exceptions.ClientError as error:
                views.append({"Error": error.response["Error"]})
        return world.scrubbed(views if see else answer)

    def baseline(self, base, given, see, caller=None):
        values = {**self.recipe.call.input, **base}
        key = (repr(base), given, see, caller)
        if key not in self.baselines:
            seen = self.seen(values, given, see, caller)
            assert "Error" not in seen, f"{self.operation} without the member: {seen}"
            again = self.seen(values, given, see, caller)
            assert seen == again, f"{self.operation} is not seen the same twice: {seen} and {again}"
            self.baselines[key] = seen
        return values, self.baselines[key]

    def acts(self, path, variant):
        variant = variant if isinstance(variant, But) else But(variant)
        given = self.recipe.given + tuple(variant.given)
        see = tuple(variant.see) if variant.see is not None else self.recipe.see
        values, before = self.baseline(variant.base, given, see, variant.caller)
        after = self.seen(self.set(values, path, variant.value), given, see, variant.caller)
        assert after != before, f"{self.operation}.{path} = {variant.value!r} changes nothing: {after}"
        code = after["Error"]["Code"] if isinstance(after, dict) and "Error" in after else None
        if variant.error or code not in (None, *NOT_THERE):
            assert code == variant.error, f"{self.operation}.{path} = {variant.value!r}: {after}"

    def is_ignored_by_aws(self, path, shape, variant):
        parent, _, name = path.rpartition(".")
        assert not parent, "as_aws is for members of the input itself"
        documented = self.contract.shapes[self.contract.input_of(self.operation)]["members"][name].get("documentation", "")
        assert variant.quote in re.sub("<[^>]*>", "", documented), f"{self.operation}.{path}: AWS says: {documented}"
        values, before = self.baseline({}, self.recipe.given, self.recipe.see)
        after = self.seen(self.set(values, path, variant.value), self.recipe.given, self.recipe.see)
        assert after == before, f"{self.operation}.{path} acts: {after}"

    def is_refused(self, path, shape):
        place, accepts = self.contract.refusal(self.operation, path)
        if path in self.recipe.members:
            values = self.set(self.recipe.call.input, path, self.recipe.members[path])
        else:
            top = path.split(".")[0]
            root = self.contract.shapes[self.contract.input_of(self.operation)]["members"][top]["shape"]
            sample = self.contract.sample(root, accepts, path.partition(".")[2])
            held = self.recipe.call.input.get(top)
            both = {**held, **sample} if isinstance(held, dict) else sample
            values = {**self.recipe.call.input, top: both}
        error = self.seen(values, self.recipe.given, ()).get("Error", {})
        assert error.get("Code") == (self.contract.refused_code or self.contract.config["validation"]["code"]) and \
            f"{place} is not supported by Pileus: " in error.get("Message", ""), f"{self.operation}.{path} is not refused: {values} {error}"
        for value in accepts:
            typed = {"true": True, "false": False}.get(value, value)
            allowed = self.set(self.recipe.call.input, place, typed)
            seen = self.seen(allowed, self.recipe.given, ())
            assert "Error" not in seen, f"{self.operation}.{place} = {value!r} is not accepted: {seen}"

    def value_of(self, path):
        if path in self.recipe.members:
            return self.recipe.members[path]
        return OTHERS.get(self.contract.name, {})[path]

    def missing(self):
        """Members that nobody says how to see, and recipes of members that are not there."""
        paths = self.contract.members(self.operation)
        others = OTHERS.get(self.contract.name, {})
        lacking = [path for path, _, below in paths if not below and path not in self.recipe.members and path not in others
                   and not self.contract.refusal(self.operation, path)]
        strangers = [path for path in self.recipe.members if path not in [p for p, _, _ in paths]]
        return lacking, strangers

    def run(self):
        """Every member; gives what is wrong."""
        wrong = []
        self.baseline({}, self.recipe.given, self.recipe.see)
        for path, shape, below in self.contract.members(self.operation):
            if below and path not in self.recipe.members:
                continue
            try:
                if self.contract.refusal(self.operation, path):
                    self.is_refused(path, shape)
                elif isinstance(self.value_of(path), AsAws):
                    self.is_ignored_by_aws(path, shape, self.value_of(path))
                else:
                    self.acts(path, self.value_of(path))
            except (AssertionError, botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
                wrong.append(str(error))
        return wrong


def load_recipes():
    for path in sorted(pathlib.Path(__file__).parent.glob("members_*.py")):
        module = __import__(path.stem)
        OTHERS[path.stem.removeprefix("members_")] = module.OTHER
    return RECIPES
