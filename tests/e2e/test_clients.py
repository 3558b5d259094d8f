"""The tools people hold: the aws CLI and the JavaScript SDK v3, with nothing but the endpoint set."""

import json
import subprocess

import pytest

from cloud import NODE_RUNTIME, ROOT, TRUST, zipped


def aws(cloud, *arguments, cwd=None, check=True):
    answer = subprocess.run(["aws", *arguments], capture_output=True, text=True, env=cloud.environment(), cwd=cwd)
    assert answer.returncode == 0 or not check, answer.stderr
    return json.loads(answer.stdout) if answer.stdout.strip().startswith(("{", "[")) else answer.stdout if check else answer.stderr


def test_aws_cli(cloud, tmp_path):
    role = aws(cloud, "iam", "create-role", "--role-name", "cli-role", "--assume-role-policy-document", TRUST)["Role"]["Arn"]
    (tmp_path / "f.zip").write_bytes(zipped(app__py="def handler(e, c): return {'n': e['n'] + 1}\n"))
    made = aws(cloud, "lambda", "create-function", "--function-name", "cli-function", "--runtime", "python3.11", "--handler", "app.handler",
               "--role", role, "--zip-file", f"fileb://{tmp_path}/f.zip", "--tags", "a=b")
    assert made["State"] == "Pending" and made["FunctionArn"].endswith(":function:cli-function")
    aws(cloud, "lambda", "wait", "function-active-v2", "--function-name", "cli-function")
    answer = aws(cloud, "lambda", "invoke", "--function-name", "cli-function", "--payload", '{"n": 41}', str(tmp_path / "out.json"))
    assert answer["StatusCode"] == 200 and json.loads((tmp_path / "out.json").read_text()) == {"n": 42}
    assert "cli-function" in [f["FunctionName"] for f in aws(cloud, "lambda", "list-functions")["Functions"]]
    assert aws(cloud, "sts", "get-caller-identity")["Account"] == "000000000000"
    words = aws(cloud, "lambda", "get-function", "--function-name", "nobody", check=False)
    assert "ResourceNotFoundException" in words
    aws(cloud, "lambda", "delete-function", "--function-name", "cli-function")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "anything.lambda-url.us-east-1.localhost"])
def test_https_on_the_same_port(cloud, host):
    port = cloud.address.split(":")[1]
    answer = subprocess.run(["curl", "-fsS", "--cacert", f"{cloud.data}/ca.crt", "--resolve", f"{host}:{port}:127.0.0.1",
                             f"https://{host}:{port}/_pileus/health"], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["status"] == "ok"


JS = """
const {LambdaClient, CreateFunctionCommand, InvokeCommand, ListFunctionsCommand, DeleteFunctionCommand,
       waitUntilFunctionActiveV2, paginateListFunctions} = require('@aws-sdk/client-lambda');
const {IAMClient, CreateRoleCommand, NoSuchEntityException, GetUserCommand} = require('@aws-sdk/client-iam');
const {STSClient, GetCallerIdentityCommand} = require('@aws-sdk/client-sts');
const {CloudWatchLogsClient, DescribeLogGroupsCommand} = require('@aws-sdk/client-cloudwatch-logs');
const fs = require('fs');
(async () => {
  const lambda = new LambdaClient({}), iam = new IAMClient({});
  const out = {};
  out.account = (await new STSClient({}).send(new GetCallerIdentityCommand({}))).Account;
  const role = (await iam.send(new CreateRoleCommand({RoleName: 'js-role', AssumeRolePolicyDocument: process.env.TRUST}))).Role.Arn;
  try { await iam.send(new GetUserCommand({UserName: 'nobody'})); } catch (e) { out.error = e.name; }
  await lambda.send(new CreateFunctionCommand({FunctionName: 'js-function', Runtime: process.env.NODE_RUNTIME, Handler: 'app.handler', Role: role,
                                               Code: {ZipFile: fs.readFileSync(process.env.ZIP)}}));
  await waitUntilFunctionActiveV2({client: lambda, maxWaitTime: 30, minDelay: 1, maxDelay: 1}, {FunctionName: 'js-function'});
  const answer = await lambda.send(new InvokeCommand({FunctionName: 'js-function', Payload: JSON.stringify({n: 41})}));
  out.payload = JSON.parse(Buffer.from(answer.Payload).toString());
  out.names = [];
  for await (const page of paginateListFunctions({client: lambda, pageSize: 2}, {})) out.names.push(...page.Functions.map(f => f.FunctionName));
  out.groups = Array.isArray((await new CloudWatchLogsClient({}).send(new DescribeLogGroupsCommand({}))).logGroups);
  await lambda.send(new DeleteFunctionCommand({FunctionName: 'js-function'}));
  console.log(JSON.stringify(out));
})().catch(e => { console.error(e); process.exit(1); });
"""


def test_javascript_sdk(cloud, tmp_path):
    sdk = ROOT / "build/runtimes" / NODE_RUNTIME / "node_modules"
    assert sdk.exists(), "run ./dev setup: the JavaScript SDK is part of the Node runtimes"
    (tmp_path / "f.zip").write_bytes(zipped(app__mjs="export const handler = async e => ({n: e.n + 1});\n"))
    node = json.loads((sdk.parent / "manifest.json").read_text())["interpreter"]
    answer = subprocess.run([node, "-e", JS], capture_output=True, text=True,
                            env={**cloud.environment(), "NODE_PATH": str(sdk), "TRUST": TRUST, "NODE_RUNTIME": NODE_RUNTIME, "ZIP": str(tmp_path / "f.zip")})
    assert answer.returncode == 0, answer.stderr
    out = json.loads(answer.stdout.strip().splitlines()[-1])
    assert out["account"] == "000000000000" and out["error"] == "NoSuchEntityException"
    assert out["payload"] == {"n": 42} and "js-function" in out["names"] and out["groups"]
