// Documents as AWS publishes them; ReadOnlyAccess and ViewOnlyAccess name the services Pileus has
// or will have, not all of AWS's, and the largest policies leave out statements about other
// services.
#include "services/iam/aws_policies.h"

#include "services/iam/arns.h"

namespace pileus::services::iam {

namespace {

constexpr AwsPolicy kPolicies[] = {
    {"/", "AWSCloudFormationFullAccess", "Provides full access to AWS CloudFormation.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["cloudformation:*"])"
     R"(,"Resource":"*"}]})"},
    {"/", "AWSCloudFormationReadOnlyAccess",
     "Provides access to AWS CloudFormation via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["cloudformation:Des)"
     R"(cribe*","cloudformation:EstimateTemplateCost","cloudformation:Get*","cloudformation:)"
     R"(List*","cloudformation:ValidateTemplate","cloudformation:Detect*"],"Resource":"*"}]})"},
    {"/", "AWSCloudTrail_FullAccess", "Provides full access to AWS CloudTrail.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"cloudtrail:*","Reso)"
     R"(urce":"*"},{"Effect":"Allow","Action":["logs:CreateLogGroup"],"Resource":"arn:aws:lo)"
     R"(gs:*:*:log-group:aws-cloudtrail-logs*"},{"Effect":"Allow","Action":["iam:ListRoles",)"
     R"("iam:GetRolePolicy","iam:GetUser"],"Resource":"*"},{"Effect":"Allow","Action":["lamb)"
     R"(da:ListFunctions"],"Resource":"*"},{"Effect":"Allow","Action":["dynamodb:ListGlobalT)"
     R"(ables","dynamodb:ListTables"],"Resource":"*"}]})"},
    {"/", "AWSCloudTrail_ReadOnlyAccess", "Provides read only access to AWS CloudTrail.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["cloudtrail:Get*",")"
     R"(cloudtrail:Describe*","cloudtrail:List*","cloudtrail:LookupEvents"],"Resource":"*"}])"
     R"(})"},
    {"/", "AWSCodeDeployFullAccess", "Provides full access to CodeDeploy resources.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"codedeploy:*","Reso)"
     R"(urce":"*"}]})"},
    {"/", "AWSCodeDeployReadOnlyAccess", "Provides read only access to CodeDeploy resources.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["codedeploy:Batch*")"
     R"(,"codedeploy:Get*","codedeploy:List*"],"Resource":"*"}]})"},
    {"/service-role/", "AWSCodeDeployRole",
     "Provides CodeDeploy service access to expand tags and interact with Auto Scaling on "
     "your behalf.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["autoscaling:Comple)"
     R"(teLifecycleAction","autoscaling:DeleteLifecycleHook","autoscaling:DescribeAutoScalin)"
     R"(gGroups","autoscaling:DescribeLifecycleHooks","autoscaling:PutLifecycleHook","autosc)"
     R"(aling:RecordLifecycleActionHeartbeat","autoscaling:UpdateAutoScalingGroup","autoscal)"
     R"(ing:SuspendProcesses","autoscaling:ResumeProcesses","ec2:DescribeInstances","ec2:Des)"
     R"(cribeInstanceStatus","ec2:TerminateInstances","tag:GetResources","sns:Publish","clou)"
     R"(dwatch:DescribeAlarms","cloudwatch:PutMetricAlarm","elasticloadbalancing:DescribeLoa)"
     R"(dBalancers","elasticloadbalancing:DescribeInstanceHealth","elasticloadbalancing:Regi)"
     R"(sterInstancesWithLoadBalancer","elasticloadbalancing:DeregisterInstancesFromLoadBala)"
     R"(ncer","elasticloadbalancing:DescribeTargetGroups","elasticloadbalancing:DescribeTarg)"
     R"(etHealth","elasticloadbalancing:RegisterTargets","elasticloadbalancing:DeregisterTar)"
     R"(gets"],"Resource":"*"}]})"},
    {"/", "AWSCodeDeployRoleForECS",
     "Provides CodeDeploy service wide access to perform an ECS blue/green deployment on y"
     "our behalf.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecs:DescribeServic)"
     R"(es","ecs:CreateTaskSet","ecs:UpdateServicePrimaryTaskSet","ecs:DeleteTaskSet","elast)"
     R"(icloadbalancing:DescribeTargetGroups","elasticloadbalancing:DescribeListeners","elas)"
     R"(ticloadbalancing:ModifyListener","elasticloadbalancing:DescribeRules","elasticloadba)"
     R"(lancing:ModifyRule","lambda:InvokeFunction","cloudwatch:DescribeAlarms","sns:Publish)"
     R"(","s3:GetObject","s3:GetObjectVersion"],"Resource":"*"},{"Effect":"Allow","Action":[)"
     R"("iam:PassRole"],"Resource":"*","Condition":{"StringLike":{"iam:PassedToService":["ec)"
     R"(s-tasks.amazonaws.com"]}}}]})"},
    {"/service-role/", "AWSCodeDeployRoleForLambda",
     "Provides CodeDeploy service access to perform a Lambda deployment on your behalf.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["cloudwatch:Describ)"
     R"(eAlarms","lambda:UpdateAlias","lambda:GetAlias","lambda:GetProvisionedConcurrencyCon)"
     R"(fig","sns:Publish"],"Resource":"*"},{"Effect":"Allow","Action":["s3:GetObject","s3:G)"
     R"(etObjectVersion"],"Resource":"arn:aws:s3:::*/CodeDeploy/*"},{"Effect":"Allow","Actio)"
     R"(n":["s3:GetObject","s3:GetObjectVersion"],"Resource":"*","Condition":{"StringEquals")"
     R"(:{"s3:ExistingObjectTag/UseWithCodeDeploy":"true"}}},{"Effect":"Allow","Action":["la)"
     R"(mbda:InvokeFunction"],"Resource":"arn:aws:lambda:*:*:function:CodeDeployHook_*"}]})"},
    {"/service-role/", "AWSCodeDeployRoleForLambdaLimited",
     "Provides CodeDeploy service limited access to perform a Lambda deployment on your be"
     "half.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["cloudwatch:Describ)"
     R"(eAlarms","lambda:UpdateAlias","lambda:GetAlias","lambda:GetProvisionedConcurrencyCon)"
     R"(fig"],"Resource":"*"},{"Effect":"Allow","Action":["s3:GetObject","s3:GetObjectVersio)"
     R"(n"],"Resource":"arn:aws:s3:::*/CodeDeploy/*"},{"Effect":"Allow","Action":["s3:GetObj)"
     R"(ect","s3:GetObjectVersion"],"Resource":"*","Condition":{"StringEquals":{"s3:Existing)"
     R"(ObjectTag/UseWithCodeDeploy":"true"}}},{"Effect":"Allow","Action":["lambda:InvokeFun)"
     R"(ction"],"Resource":"arn:aws:lambda:*:*:function:CodeDeployHook_*"}]})"},
    {"/service-role/", "AWSLambdaBasicExecutionRole",
     "Provides write permissions to CloudWatch Logs.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGrou)"
     R"(p","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]})"},
    {"/service-role/", "AWSLambdaDynamoDBExecutionRole",
     "Provides list and read access to DynamoDB streams and write permissions to CloudWatc"
     "h logs.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:DescribeS)"
     R"(tream","dynamodb:GetRecords","dynamodb:GetShardIterator","dynamodb:ListStreams","log)"
     R"(s:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]})"},
    {"/service-role/", "AWSLambdaENIManagementAccess",
     "Provides minimum permissions for a Lambda function to manage ENIs (create, describe,"
     " delete) used by a VPC-enabled Lambda Function.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:CreateNetworkI)"
     R"(nterface","ec2:DescribeNetworkInterfaces","ec2:DeleteNetworkInterface","ec2:AssignPr)"
     R"(ivateIpAddresses","ec2:UnassignPrivateIpAddresses"],"Resource":"*"}]})"},
    {"/", "AWSLambdaExecute", "Provides Put, Get access to S3 and full access to CloudWatch Logs.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:*"],"Resource)"
     R"(":"arn:aws:logs:*:*:*"},{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],")"
     R"(Resource":"arn:aws:s3:::*"}]})"},
    {"/", "AWSLambdaInvocation-DynamoDB", "Provides read access to DynamoDB Streams.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["lambda:InvokeFunct)"
     R"(ion"],"Resource":["*"]},{"Effect":"Allow","Action":["dynamodb:DescribeStream","dynam)"
     R"(odb:GetRecords","dynamodb:GetShardIterator","dynamodb:ListStreams"],"Resource":["*"])"
     R"(}]})"},
    {"/service-role/", "AWSLambdaKinesisExecutionRole",
     "Provides list and read access to Kinesis streams and write permissions to CloudWatch"
     " logs.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["kinesis:DescribeSt)"
     R"(ream","kinesis:DescribeStreamSummary","kinesis:GetRecords","kinesis:GetShardIterator)"
     R"(","kinesis:ListShards","kinesis:ListStreams","kinesis:SubscribeToShard","logs:Create)"
     R"(LogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]})"},
    {"/service-role/", "AWSLambdaMSKExecutionRole",
     "Provides permissions required to access MSK Cluster within a VPC, manage ENIs (creat"
     "e, describe, delete) in the VPC and write permissions to CloudWatch Logs.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["kafka:DescribeClus)"
     R"(ter","kafka:DescribeClusterV2","kafka:GetBootstrapBrokers","ec2:CreateNetworkInterfa)"
     R"(ce","ec2:DescribeNetworkInterfaces","ec2:DescribeVpcs","ec2:DeleteNetworkInterface",)"
     R"("ec2:DescribeSubnets","ec2:DescribeSecurityGroups","logs:CreateLogGroup","logs:Creat)"
     R"(eLogStream","logs:PutLogEvents"],"Resource":"*"}]})"},
    {"/service-role/", "AWSLambdaRole", "Default policy for AWS Lambda service role.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["lambda:InvokeFunct)"
     R"(ion"],"Resource":["*"]}]})"},
    {"/service-role/", "AWSLambdaSQSQueueExecutionRole",
     "Provides receive message, delete message, and read attribute access to SQS queues, a"
     "nd write permissions to CloudWatch logs.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:ReceiveMessage)"
     R"(","sqs:DeleteMessage","sqs:GetQueueAttributes","logs:CreateLogGroup","logs:CreateLog)"
     R"(Stream","logs:PutLogEvents"],"Resource":"*"}]})"},
    {"/service-role/", "AWSLambdaVPCAccessExecutionRole",
     "Provides minimum permissions for a Lambda function to execute while accessing a reso"
     "urce within a VPC - create, describe, delete network interfaces and write permission"
     "s to CloudWatch Logs.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGrou)"
     R"(p","logs:CreateLogStream","logs:PutLogEvents","ec2:CreateNetworkInterface","ec2:Desc)"
     R"(ribeNetworkInterfaces","ec2:DescribeSubnets","ec2:DeleteNetworkInterface","ec2:Assig)"
     R"(nPrivateIpAddresses","ec2:UnassignPrivateIpAddresses"],"Resource":"*","Sid":"AWSLamb)"
     R"(daVPCAccessExecutionPermissions"}]})"},
    {"/", "AWSLambda_FullAccess",
     "Grants full access to AWS Lambda service, AWS Lambda console features, and other rel"
     "ated AWS services.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["cloudformation:Des)"
     R"(cribeStacks","cloudformation:ListStacks","cloudformation:ListStackResources","cloudw)"
     R"(atch:GetMetricData","cloudwatch:ListMetrics","ec2:DescribeSecurityGroups","ec2:Descr)"
     R"(ibeSubnets","ec2:DescribeVpcs","kms:ListAliases","iam:GetPolicy","iam:GetPolicyVersi)"
     R"(on","iam:GetRole","iam:GetRolePolicy","iam:ListAttachedRolePolicies","iam:ListRolePo)"
     R"(licies","iam:ListRoles","lambda:*","logs:DescribeLogGroups","states:DescribeStateMac)"
     R"(hine","states:ListStateMachines","tag:GetResources","xray:GetTraceSummaries","xray:B)"
     R"(atchGetTraces"],"Resource":"*"},{"Effect":"Allow","Action":"iam:PassRole","Resource")"
     R"(:"*","Condition":{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}},{")"
     R"(Effect":"Allow","Action":["logs:DescribeLogStreams","logs:GetLogEvents","logs:Filter)"
     R"(LogEvents","logs:StartLiveTail","logs:StopLiveTail"],"Resource":"arn:aws:logs:*:*:lo)"
     R"(g-group:/aws/lambda/*"}]})"},
    {"/", "AWSLambda_ReadOnlyAccess",
     "Grants read-only access to AWS Lambda service, AWS Lambda console features, and othe"
     "r related AWS services.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["cloudformation:Des)"
     R"(cribeStacks","cloudformation:ListStacks","cloudformation:ListStackResources","cloudw)"
     R"(atch:GetMetricData","cloudwatch:ListMetrics","ec2:DescribeSecurityGroups","ec2:Descr)"
     R"(ibeSubnets","ec2:DescribeVpcs","kms:ListAliases","iam:GetPolicy","iam:GetPolicyVersi)"
     R"(on","iam:GetRole","iam:GetRolePolicy","iam:ListAttachedRolePolicies","iam:ListRolePo)"
     R"(licies","iam:ListRoles","logs:DescribeLogGroups","lambda:Get*","lambda:List*","state)"
     R"(s:DescribeStateMachine","states:ListStateMachines","tag:GetResources","xray:GetTrace)"
     R"(Summaries","xray:BatchGetTraces"],"Resource":"*"},{"Effect":"Allow","Action":["logs:)"
     R"(DescribeLogStreams","logs:GetLogEvents","logs:FilterLogEvents","logs:StartLiveTail",)"
     R"("logs:StopLiveTail"],"Resource":"arn:aws:logs:*:*:log-group:/aws/lambda/*"}]})"},
    {"/", "AWSStepFunctionsFullAccess",
     "An access policy for providing a user/role/etc access to the AWS StepFunctions API.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"states:*","Resource)"
     R"(":"*"}]})"},
    {"/", "AWSXRayDaemonWriteAccess",
     "Allow the AWS X-Ray Daemon to relay raw trace segments data to the service's API and"
     " retrieve sampling data (rules, targets, etc.) to be used by the X-Ray SDK.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["xray:PutTraceSegme)"
     R"(nts","xray:PutTelemetryRecords","xray:GetSamplingRules","xray:GetSamplingTargets","x)"
     R"(ray:GetSamplingStatisticSummaries"],"Resource":"*"}]})"},
    {"/", "AWSXrayFullAccess", "AWS X-Ray full access managed policy",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["xray:*"],"Resource)"
     R"(":"*"}]})"},
    {"/", "AWSXrayReadOnlyAccess", "AWS X-Ray read only managed policy",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["xray:GetSamplingRu)"
     R"(les","xray:GetSamplingTargets","xray:GetSamplingStatisticSummaries","xray:BatchGetTr)"
     R"(aces","xray:BatchGetTraceSummaryById","xray:GetDistinctTraceGraphs","xray:GetService)"
     R"(Graph","xray:GetTraceGraph","xray:GetTraceSummaries","xray:GetGroups","xray:GetGroup)"
     R"(","xray:ListTagsForResource","xray:ListResourcePolicies","xray:GetTimeSeriesServiceS)"
     R"(tatistics","xray:GetInsightSummaries","xray:GetInsight","xray:GetInsightEvents","xra)"
     R"(y:GetInsightImpactGraph"],"Resource":["*"]}]})"},
    {"/", "AdministratorAccess", "Provides full access to AWS services and resources.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}])"
     R"(})"},
    {"/", "AmazonAPIGatewayAdministrator",
     "Provides full access to create/edit/delete APIs in Amazon API Gateway via the AWS Ma"
     "nagement Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["apigateway:*"],"Re)"
     R"(source":"arn:aws:apigateway:*::/*"}]})"},
    {"/", "AmazonAPIGatewayInvokeFullAccess",
     "Provides full access to invoke APIs in Amazon API Gateway.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["execute-api:Invoke)"
     R"(","execute-api:ManageConnections"],"Resource":"arn:aws:execute-api:*:*:*"}]})"},
    {"/service-role/", "AmazonAPIGatewayPushToCloudWatchLogs",
     "Allows API Gateway to push logs to user's account.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGrou)"
     R"(p","logs:CreateLogStream","logs:DescribeLogGroups","logs:DescribeLogStreams","logs:P)"
     R"(utLogEvents","logs:GetLogEvents","logs:FilterLogEvents"],"Resource":"*"}]})"},
    {"/", "AmazonDynamoDBFullAccess",
     "Provides full access to Amazon DynamoDB via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:*","dax:*)"
     R"(","application-autoscaling:DeleteScalingPolicy","application-autoscaling:DeregisterS)"
     R"(calableTarget","application-autoscaling:DescribeScalableTargets","application-autosc)"
     R"(aling:DescribeScalingActivities","application-autoscaling:DescribeScalingPolicies",")"
     R"(application-autoscaling:PutScalingPolicy","application-autoscaling:RegisterScalableT)"
     R"(arget","cloudwatch:DeleteAlarms","cloudwatch:DescribeAlarmHistory","cloudwatch:Descr)"
     R"(ibeAlarms","cloudwatch:DescribeAlarmsForMetric","cloudwatch:GetMetricStatistics","cl)"
     R"(oudwatch:ListMetrics","cloudwatch:PutMetricAlarm","cloudwatch:GetMetricData","iam:Ge)"
     R"(tRole","iam:ListRoles","kms:DescribeKey","kms:ListAliases","sns:CreateTopic","sns:De)"
     R"(leteTopic","sns:ListSubscriptions","sns:ListSubscriptionsByTopic","sns:ListTopics",")"
     R"(sns:Subscribe","sns:Unsubscribe","sns:SetTopicAttributes","lambda:CreateFunction","l)"
     R"(ambda:ListFunctions","lambda:ListEventSourceMappings","lambda:CreateEventSourceMappi)"
     R"(ng","lambda:DeleteEventSourceMapping","lambda:GetFunctionConfiguration","lambda:Dele)"
     R"(teFunction","tag:GetResources"],"Resource":"*"}]})"},
    {"/", "AmazonDynamoDBReadOnlyAccess",
     "Provides read only access to Amazon DynamoDB via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["application-autosc)"
     R"(aling:DescribeScalableTargets","application-autoscaling:DescribeScalingActivities",")"
     R"(application-autoscaling:DescribeScalingPolicies","cloudwatch:DescribeAlarmHistory",")"
     R"(cloudwatch:DescribeAlarms","cloudwatch:DescribeAlarmsForMetric","cloudwatch:GetMetri)"
     R"(cStatistics","cloudwatch:ListMetrics","cloudwatch:GetMetricData","dynamodb:BatchGetI)"
     R"(tem","dynamodb:Describe*","dynamodb:List*","dynamodb:GetItem","dynamodb:GetResourceP)"
     R"(olicy","dynamodb:Query","dynamodb:Scan","dynamodb:PartiQLSelect","iam:GetRole","iam:)"
     R"(ListRoles","kms:DescribeKey","kms:ListAliases","sns:ListSubscriptionsByTopic","sns:L)"
     R"(istTopics","lambda:ListFunctions","lambda:ListEventSourceMappings","lambda:GetFuncti)"
     R"(onConfiguration","tag:GetResources"],"Resource":"*"}]})"},
    {"/", "AmazonEC2ContainerRegistryFullAccess",
     "Provides administrative access to Amazon ECR resources",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:*","cloudtrail)"
     R"(:LookupEvents"],"Resource":"*"},{"Effect":"Allow","Action":["iam:CreateServiceLinked)"
     R"(Role"],"Resource":"*","Condition":{"StringEquals":{"iam:AWSServiceName":["replicatio)"
     R"(n.ecr.amazonaws.com"]}}}]})"},
    {"/", "AmazonEC2ContainerRegistryPowerUser",
     "Provides full access to Amazon EC2 Container Registry repositories, but does not all"
     "ow repository deletion or policy changes.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:GetAuthorizati)"
     R"(onToken","ecr:BatchCheckLayerAvailability","ecr:GetDownloadUrlForLayer","ecr:GetRepo)"
     R"(sitoryPolicy","ecr:DescribeRepositories","ecr:ListImages","ecr:DescribeImages","ecr:)"
     R"(BatchGetImage","ecr:GetLifecyclePolicy","ecr:GetLifecyclePolicyPreview","ecr:ListTag)"
     R"(sForResource","ecr:DescribeImageScanFindings","ecr:InitiateLayerUpload","ecr:UploadL)"
     R"(ayerPart","ecr:CompleteLayerUpload","ecr:PutImage"],"Resource":"*"}]})"},
    {"/", "AmazonEC2ContainerRegistryReadOnly",
     "Provides read-only access to Amazon EC2 Container Registry repositories.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:GetAuthorizati)"
     R"(onToken","ecr:BatchCheckLayerAvailability","ecr:GetDownloadUrlForLayer","ecr:GetRepo)"
     R"(sitoryPolicy","ecr:DescribeRepositories","ecr:ListImages","ecr:DescribeImages","ecr:)"
     R"(BatchGetImage","ecr:GetLifecyclePolicy","ecr:GetLifecyclePolicyPreview","ecr:ListTag)"
     R"(sForResource","ecr:DescribeImageScanFindings"],"Resource":"*"}]})"},
    {"/service-role/", "AmazonEC2ContainerServiceEventsRole",
     "Policy to enable CloudWatch Events for EC2 Container Service",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecs:RunTask"],"Res)"
     R"(ource":["*"]},{"Effect":"Allow","Action":"iam:PassRole","Resource":["*"],"Condition")"
     R"(:{"StringLike":{"iam:PassedToService":"ecs-tasks.amazonaws.com"}}},{"Effect":"Allow")"
     R"(,"Action":"ecs:TagResource","Resource":"*","Condition":{"StringEquals":{"ecs:CreateA)"
     R"(ction":["RunTask"]}}}]})"},
    {"/service-role/", "AmazonEC2ContainerServiceRole",
     "Default policy for Amazon ECS service role.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:AuthorizeSecur)"
     R"(ityGroupIngress","ec2:Describe*","elasticloadbalancing:DeregisterInstancesFromLoadBa)"
     R"(lancer","elasticloadbalancing:DeregisterTargets","elasticloadbalancing:Describe*","e)"
     R"(lasticloadbalancing:RegisterInstancesWithLoadBalancer","elasticloadbalancing:Registe)"
     R"(rTargets"],"Resource":"*"}]})"},
    {"/service-role/", "AmazonEC2ContainerServiceforEC2Role",
     "Default policy for the Amazon EC2 Role for Amazon EC2 Container Service.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:DescribeTags",)"
     R"("ecs:CreateCluster","ecs:DeregisterContainerInstance","ecs:DiscoverPollEndpoint","ec)"
     R"(s:Poll","ecs:RegisterContainerInstance","ecs:StartTelemetrySession","ecs:UpdateConta)"
     R"(inerInstancesState","ecs:Submit*","ecr:GetAuthorizationToken","ecr:BatchCheckLayerAv)"
     R"(ailability","ecr:GetDownloadUrlForLayer","ecr:BatchGetImage","logs:CreateLogStream",)"
     R"("logs:PutLogEvents"],"Resource":"*"},{"Effect":"Allow","Action":"ecs:TagResource","R)"
     R"(esource":"*","Condition":{"StringEquals":{"ecs:CreateAction":["CreateCluster","Regis)"
     R"(terContainerInstance"]}}}]})"},
    {"/", "AmazonEC2FullAccess",
     "Provides full access to Amazon EC2 via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Action":"ec2:*","Effect":"Allow","Resource":")"
     R"(*"},{"Effect":"Allow","Action":"elasticloadbalancing:*","Resource":"*"},{"Effect":"A)"
     R"(llow","Action":"cloudwatch:*","Resource":"*"},{"Effect":"Allow","Action":"autoscalin)"
     R"(g:*","Resource":"*"},{"Effect":"Allow","Action":"iam:CreateServiceLinkedRole","Resou)"
     R"(rce":"*","Condition":{"StringEquals":{"iam:AWSServiceName":["autoscaling.amazonaws.c)"
     R"(om","ec2scheduled.amazonaws.com","elasticloadbalancing.amazonaws.com","spot.amazonaw)"
     R"(s.com","spotfleet.amazonaws.com","transitgateway.amazonaws.com"]}}}]})"},
    {"/", "AmazonEC2ReadOnlyAccess",
     "Provides read only access to Amazon EC2 via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:Describe*","ec)"
     R"(2:Get*"],"Resource":"*"},{"Effect":"Allow","Action":"elasticloadbalancing:Describe*")"
     R"(,"Resource":"*"},{"Effect":"Allow","Action":["cloudwatch:ListMetrics","cloudwatch:Ge)"
     R"(tMetricStatistics","cloudwatch:Describe*"],"Resource":"*"},{"Effect":"Allow","Action)"
     R"(":"autoscaling:Describe*","Resource":"*"}]})"},
    {"/service-role/", "AmazonECSTaskExecutionRolePolicy",
     "Provides access to other AWS service resources that are required to run Amazon ECS t"
     "asks",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:GetAuthorizati)"
     R"(onToken","ecr:BatchCheckLayerAvailability","ecr:GetDownloadUrlForLayer","ecr:BatchGe)"
     R"(tImage","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]})"},
    {"/", "AmazonECS_FullAccess",
     "Provides administrative access to Amazon ECS resources and enables ECS features thro"
     "ugh access to other AWS service resources.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecs:*","applicatio)"
     R"(n-autoscaling:*","autoscaling:Describe*","cloudformation:CreateStack","cloudformatio)"
     R"(n:DeleteStack","cloudformation:DescribeStack*","cloudformation:UpdateStack","cloudwa)"
     R"(tch:DeleteAlarms","cloudwatch:DescribeAlarms","cloudwatch:GetMetricStatistics","clou)"
     R"(dwatch:PutMetricAlarm","codedeploy:*","ec2:Describe*","elasticloadbalancing:*","even)"
     R"(ts:DeleteRule","events:DescribeRule","events:ListRuleNamesByTarget","events:ListTarg)"
     R"(etsByRule","events:PutRule","events:PutTargets","events:RemoveTargets","iam:ListAtta)"
     R"(chedRolePolicies","iam:ListInstanceProfiles","iam:ListRoles","lambda:ListFunctions",)"
     R"("logs:CreateLogGroup","logs:DescribeLogGroups","logs:FilterLogEvents","servicediscov)"
     R"(ery:*","sns:ListTopics"],"Resource":"*"},{"Effect":"Allow","Action":"iam:PassRole",")"
     R"(Resource":["*"],"Condition":{"StringLike":{"iam:PassedToService":"ecs-tasks.amazonaw)"
     R"(s.com"}}}]})"},
    {"/", "AmazonEKSClusterPolicy",
     "This policy provides Kubernetes the permissions it requires to manage resources on y"
     "our behalf.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["autoscaling:Descri)"
     R"(beAutoScalingGroups","autoscaling:UpdateAutoScalingGroup","ec2:AttachVolume","ec2:Au)"
     R"(thorizeSecurityGroupIngress","ec2:CreateRoute","ec2:CreateSecurityGroup","ec2:Create)"
     R"(Tags","ec2:CreateVolume","ec2:DeleteRoute","ec2:DeleteSecurityGroup","ec2:DeleteVolu)"
     R"(me","ec2:Describe*","ec2:DetachVolume","ec2:ModifyInstanceAttribute","ec2:ModifyVolu)"
     R"(me","ec2:RevokeSecurityGroupIngress","elasticloadbalancing:*","kms:DescribeKey"],"Re)"
     R"(source":"*"}]})"},
    {"/", "AmazonEKSWorkerNodePolicy",
     "This policy allows Amazon EKS worker nodes to connect to Amazon EKS Clusters.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:DescribeInstan)"
     R"(ces","ec2:DescribeInstanceTypes","ec2:DescribeRouteTables","ec2:DescribeSecurityGrou)"
     R"(ps","ec2:DescribeSubnets","ec2:DescribeVolumes","ec2:DescribeVolumesModifications",")"
     R"(ec2:DescribeVpcs","eks:DescribeCluster","eks-auth:AssumeRoleForPodIdentity"],"Resour)"
     R"(ce":"*"}]})"},
    {"/", "AmazonEKS_CNI_Policy",
     "This policy provides the Amazon VPC CNI Plugin (amazon-vpc-cni-k8s) the permissions "
     "it requires to modify the IP address configuration on your EKS worker nodes.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:AssignPrivateI)"
     R"(pAddresses","ec2:AttachNetworkInterface","ec2:CreateNetworkInterface","ec2:DeleteNet)"
     R"(workInterface","ec2:DescribeInstances","ec2:DescribeTags","ec2:DescribeNetworkInterf)"
     R"(aces","ec2:DescribeInstanceTypes","ec2:DescribeSubnets","ec2:DetachNetworkInterface")"
     R"(,"ec2:ModifyNetworkInterfaceAttribute","ec2:UnassignPrivateIpAddresses"],"Resource":)"
     R"("*"},{"Effect":"Allow","Action":["ec2:CreateTags"],"Resource":["arn:aws:ec2:*:*:netw)"
     R"(ork-interface/*"]}]})"},
    {"/", "AmazonEventBridgeFullAccess", "Provides full access to Amazon EventBridge.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["events:*","schemas)"
     R"(:*","scheduler:*","pipes:*"],"Resource":"*"},{"Effect":"Allow","Action":"iam:PassRol)"
     R"(e","Resource":"arn:aws:iam::*:role/*","Condition":{"StringLike":{"iam:PassedToServic)"
     R"(e":["events.amazonaws.com","scheduler.amazonaws.com","pipes.amazonaws.com"]}}}]})"},
    {"/", "AmazonEventBridgeReadOnlyAccess", "Provides read only access to Amazon EventBridge.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["events:DescribeRul)"
     R"(e","events:DescribeEventBus","events:DescribeEventSource","events:ListEventBuses","e)"
     R"(vents:ListEventSources","events:ListRuleNamesByTarget","events:ListRules","events:Li)"
     R"(stTargetsByRule","events:TestEventPattern","events:DescribeArchive","events:ListArch)"
     R"(ives","events:DescribeReplay","events:ListReplays","events:DescribeConnection","even)"
     R"(ts:ListConnections","events:DescribeApiDestination","events:ListApiDestinations","ev)"
     R"(ents:DescribeEndpoint","events:ListEndpoints","scheduler:GetSchedule","scheduler:Get)"
     R"(ScheduleGroup","scheduler:ListSchedules","scheduler:ListScheduleGroups","scheduler:L)"
     R"(istTagsForResource"],"Resource":"*"}]})"},
    {"/", "AmazonKinesisFullAccess",
     "Provides full access to all streams via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kinesis:*","Resourc)"
     R"(e":"*"}]})"},
    {"/", "AmazonRoute53FullAccess",
     "Provides full access to all Amazon Route 53 via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["route53:*","route5)"
     R"(3domains:*","cloudfront:ListDistributions","elasticloadbalancing:DescribeLoadBalance)"
     R"(rs","s3:ListBucket","s3:GetBucketLocation","s3:GetBucketWebsite","ec2:DescribeVpcs",)"
     R"("ec2:DescribeRegions","sns:ListTopics","sns:ListSubscriptionsByTopic","cloudwatch:De)"
     R"(scribeAlarms","cloudwatch:GetMetricStatistics"],"Resource":"*"},{"Effect":"Allow","A)"
     R"(ction":"apigateway:GET","Resource":"arn:aws:apigateway:*::/domainnames"}]})"},
    {"/", "AmazonS3FullAccess",
     "Provides full access to all buckets via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","s3-object-l)"
     R"(ambda:*"],"Resource":"*"}]})"},
    {"/", "AmazonS3ReadOnlyAccess",
     "Provides read only access to all buckets via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:List*)"
     R"(","s3:Describe*","s3-object-lambda:Get*","s3-object-lambda:List*"],"Resource":"*"}]})"},
    {"/", "AmazonSNSFullAccess",
     "Provides full access to Amazon SNS via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sns:*"],"Resource")"
     R"(:"*"}]})"},
    {"/", "AmazonSNSReadOnlyAccess",
     "Provides read only access to Amazon SNS via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sns:GetTopicAttrib)"
     R"(utes","sns:List*","sns:CheckIfPhoneNumberIsOptedOut","sns:GetEndpointAttributes","sn)"
     R"(s:GetDataProtectionPolicy","sns:GetPlatformApplicationAttributes","sns:GetSMSAttribu)"
     R"(tes","sns:GetSMSSandboxAccountStatus","sns:GetSubscriptionAttributes"],"Resource":"*)"
     R"("}]})"},
    {"/", "AmazonSQSFullAccess",
     "Provides full access to Amazon SQS via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:*"],"Resource")"
     R"(:"*"}]})"},
    {"/", "AmazonSQSReadOnlyAccess",
     "Provides read only access to Amazon SQS via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:GetQueueAttrib)"
     R"(utes","sqs:GetQueueUrl","sqs:ListDeadLetterSourceQueues","sqs:ListQueues","sqs:ListM)"
     R"(essageMoveTasks","sqs:ListQueueTags"],"Resource":"*"}]})"},
    {"/", "AmazonSSMManagedInstanceCore",
     "The policy for Amazon EC2 Role to enable AWS Systems Manager service core functional"
     "ity.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ssm:DescribeAssoci)"
     R"(ation","ssm:GetDeployablePatchSnapshotForInstance","ssm:GetDocument","ssm:DescribeDo)"
     R"(cument","ssm:GetManifest","ssm:GetParameter","ssm:GetParameters","ssm:ListAssociatio)"
     R"(ns","ssm:ListInstanceAssociations","ssm:PutInventory","ssm:PutComplianceItems","ssm:)"
     R"(PutConfigurePackageResult","ssm:UpdateAssociationStatus","ssm:UpdateInstanceAssociat)"
     R"(ionStatus","ssm:UpdateInstanceInformation"],"Resource":"*"},{"Effect":"Allow","Actio)"
     R"(n":["ssmmessages:CreateControlChannel","ssmmessages:CreateDataChannel","ssmmessages:)"
     R"(OpenControlChannel","ssmmessages:OpenDataChannel"],"Resource":"*"},{"Effect":"Allow")"
     R"(,"Action":["ec2messages:AcknowledgeMessage","ec2messages:DeleteMessage","ec2messages)"
     R"(:FailMessage","ec2messages:GetEndpoint","ec2messages:GetMessages","ec2messages:SendR)"
     R"(eply"],"Resource":"*"}]})"},
    {"/", "AutoScalingFullAccess", "Provides full access to Auto Scaling.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"autoscaling:*","Res)"
     R"(ource":"*"},{"Effect":"Allow","Action":"cloudwatch:PutMetricAlarm","Resource":"*"},{)"
     R"("Effect":"Allow","Action":["ec2:DescribeAccountAttributes","ec2:DescribeAvailability)"
     R"(Zones","ec2:DescribeImages","ec2:DescribeInstanceAttribute","ec2:DescribeInstances",)"
     R"("ec2:DescribeKeyPairs","ec2:DescribeLaunchTemplateVersions","ec2:DescribePlacementGr)"
     R"(oups","ec2:DescribeSecurityGroups","ec2:DescribeSpotInstanceRequests","ec2:DescribeS)"
     R"(ubnets","ec2:DescribeVpcClassicLink"],"Resource":"*"},{"Effect":"Allow","Action":["e)"
     R"(lasticloadbalancing:DescribeLoadBalancers","elasticloadbalancing:DescribeTargetGroup)"
     R"(s"],"Resource":"*"}]})"},
    {"/", "CloudWatchAgentServerPolicy",
     "Permissions required to use AmazonCloudWatchAgent on servers",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["cloudwatch:PutMetr)"
     R"(icData","ec2:DescribeVolumes","ec2:DescribeTags","logs:PutLogEvents","logs:PutRetent)"
     R"(ionPolicy","logs:DescribeLogStreams","logs:DescribeLogGroups","logs:CreateLogStream")"
     R"(,"logs:CreateLogGroup","xray:PutTraceSegments","xray:PutTelemetryRecords","xray:GetS)"
     R"(amplingRules","xray:GetSamplingTargets","xray:GetSamplingStatisticSummaries"],"Resou)"
     R"(rce":"*"},{"Effect":"Allow","Action":["ssm:GetParameter"],"Resource":"arn:aws:ssm:*:)"
     R"(*:parameter/AmazonCloudWatch-*"}]})"},
    {"/", "CloudWatchFullAccess", "Provides full access to CloudWatch.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["autoscaling:Descri)"
     R"(be*","cloudwatch:*","logs:*","sns:*","iam:GetPolicy","iam:GetPolicyVersion","iam:Get)"
     R"(Role","oam:ListSinks"],"Resource":"*"},{"Effect":"Allow","Action":"iam:CreateService)"
     R"(LinkedRole","Resource":"arn:aws:iam::*:role/aws-service-role/events.amazonaws.com/AW)"
     R"(SServiceRoleForCloudWatchEvents*","Condition":{"StringLike":{"iam:AWSServiceName":"e)"
     R"(vents.amazonaws.com"}}}]})"},
    {"/", "CloudWatchLambdaInsightsExecutionRolePolicy",
     "Policy required for the Lambda Insights Extension",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:CreateLogGroup)"
     R"(","Resource":"*"},{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEve)"
     R"(nts"],"Resource":"arn:aws:logs:*:*:log-group:/aws/lambda-insights:*"}]})"},
    {"/", "CloudWatchLogsFullAccess", "Provides full access to CloudWatch Logs",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:*","cloudwatc)"
     R"(h:GenerateQuery","cloudwatch:GenerateQueryResultsSummary"],"Resource":"*"}]})"},
    {"/", "CloudWatchLogsReadOnlyAccess", "Provides read only access to CloudWatch Logs",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:Describe*","l)"
     R"(ogs:Get*","logs:List*","logs:StartQuery","logs:StopQuery","logs:TestMetricFilter","l)"
     R"(ogs:FilterLogEvents","logs:StartLiveTail","logs:StopLiveTail","cloudwatch:GenerateQu)"
     R"(ery","cloudwatch:GenerateQueryResultsSummary"],"Resource":"*"}]})"},
    {"/", "CloudWatchReadOnlyAccess", "Provides read only access to CloudWatch.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["application-autosc)"
     R"(aling:DescribeScalingPolicies","autoscaling:Describe*","cloudwatch:BatchGet*","cloud)"
     R"(watch:Describe*","cloudwatch:GenerateQuery","cloudwatch:Get*","cloudwatch:List*","lo)"
     R"(gs:Get*","logs:List*","logs:StartQuery","logs:StopQuery","logs:Describe*","logs:Test)"
     R"(MetricFilter","logs:FilterLogEvents","logs:StartLiveTail","logs:StopLiveTail","sns:G)"
     R"(et*","sns:List*"],"Resource":"*"}]})"},
    {"/", "ElasticLoadBalancingFullAccess",
     "Provides full access to Amazon ElasticLoadBalancing, and limited access to other ser"
     "vices necessary to provide ElasticLoadBalancing features.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"elasticloadbalancin)"
     R"(g:*","Resource":"*"},{"Effect":"Allow","Action":["ec2:DescribeAccountAttributes","ec)"
     R"(2:DescribeAddresses","ec2:DescribeInternetGateways","ec2:DescribeSecurityGroups","ec)"
     R"(2:DescribeSubnets","ec2:DescribeVpcs","ec2:DescribeVpcClassicLink","ec2:DescribeInst)"
     R"(ances","ec2:DescribeNetworkInterfaces","ec2:DescribeClassicLinkInstances","ec2:Descr)"
     R"(ibeRouteTables","cognito-idp:DescribeUserPoolClient"],"Resource":"*"},{"Effect":"All)"
     R"(ow","Action":"iam:CreateServiceLinkedRole","Resource":"*","Condition":{"StringEquals)"
     R"(":{"iam:AWSServiceName":"elasticloadbalancing.amazonaws.com"}}}]})"},
    {"/", "ElasticLoadBalancingReadOnly",
     "Provides read only access to Amazon ElasticLoadBalancing and dependent services",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["elasticloadbalanci)"
     R"(ng:Describe*","elasticloadbalancing:Get*"],"Resource":"*"},{"Effect":"Allow","Action)"
     R"(":["ec2:DescribeInstances","ec2:DescribeClassicLinkInstances","ec2:DescribeSecurityG)"
     R"(roups"],"Resource":"*"}]})"},
    {"/", "IAMFullAccess", "Provides full access to IAM via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*","organizati)"
     R"(ons:DescribeAccount","organizations:DescribeOrganization","organizations:DescribeOrg)"
     R"(anizationalUnit","organizations:DescribePolicy","organizations:ListChildren","organi)"
     R"(zations:ListParents","organizations:ListPoliciesForTarget","organizations:ListRoots")"
     R"(,"organizations:ListPolicies","organizations:ListTargetsForPolicy"],"Resource":"*"}])"
     R"(})"},
    {"/", "IAMReadOnlyAccess", "Provides read only access to IAM via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:GenerateCreden)"
     R"(tialReport","iam:GenerateServiceLastAccessedDetails","iam:Get*","iam:List*","iam:Sim)"
     R"(ulateCustomPolicy","iam:SimulatePrincipalPolicy"],"Resource":"*"}]})"},
    {"/", "IAMUserChangePassword",
     "Provides the ability for an IAM user to change their own password.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:ChangePassword)"
     R"("],"Resource":["arn:aws:iam::*:user/${aws:username}"]},{"Effect":"Allow","Action":[")"
     R"(iam:GetAccountPasswordPolicy"],"Resource":"*"}]})"},
    {"/", "PowerUserAccess",
     "Provides full access to AWS services and resources, but does not allow management of"
     " Users and groups.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":["iam:*","organiz)"
     R"(ations:*","account:*"],"Resource":"*"},{"Effect":"Allow","Action":["account:GetAccou)"
     R"(ntInformation","account:GetPrimaryEmail","account:ListRegions","iam:CreateServiceLin)"
     R"(kedRole","iam:DeleteServiceLinkedRole","iam:ListRoles","organizations:DescribeOrgani)"
     R"(zation"],"Resource":"*"}]})"},
    {"/", "ReadOnlyAccess", "Provides read-only access to AWS services and resources.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["apigateway:GET","a)"
     R"(pplication-autoscaling:Get*","application-autoscaling:List*","application-autoscalin)"
     R"(g:Describe*","autoscaling:Get*","autoscaling:List*","autoscaling:Describe*","cloudfo)"
     R"(rmation:Get*","cloudformation:List*","cloudformation:Describe*","cloudformation:Dete)"
     R"(ct*","cloudformation:EstimateTemplateCost","cloudformation:ValidateTemplate","cloudt)"
     R"(rail:Get*","cloudtrail:List*","cloudtrail:Describe*","cloudtrail:LookupEvents","clou)"
     R"(dwatch:Get*","cloudwatch:List*","cloudwatch:Describe*","codedeploy:Get*","codedeploy)"
     R"(:List*","codedeploy:Describe*","codedeploy:BatchGet*","dynamodb:Get*","dynamodb:List)"
     R"(*","dynamodb:Describe*","dynamodb:BatchGet*","dynamodb:PartiQLSelect","dynamodb:Quer)"
     R"(y","dynamodb:Scan","ec2:Get*","ec2:List*","ec2:Describe*","ecr:Get*","ecr:List*","ec)"
     R"(r:Describe*","ecr:BatchCheck*","ecr:BatchGet*","ecs:Get*","ecs:List*","ecs:Describe*)"
     R"(","eks:Get*","eks:List*","eks:Describe*","elasticloadbalancing:Get*","elasticloadbal)"
     R"(ancing:List*","elasticloadbalancing:Describe*","events:Get*","events:List*","events:)"
     R"(Describe*","events:TestEventPattern","iam:Get*","iam:List*","iam:Describe*","iam:Gen)"
     R"(erate*","iam:SimulateCustomPolicy","iam:SimulatePrincipalPolicy","kinesis:Get*","kin)"
     R"(esis:List*","kinesis:Describe*","kms:Get*","kms:List*","kms:Describe*","lambda:Get*")"
     R"(,"lambda:List*","lambda:Describe*","logs:Get*","logs:List*","logs:Describe*","logs:F)"
     R"(ilterLogEvents","logs:StartQuery","logs:StopQuery","logs:TestMetricFilter","logs:Sta)"
     R"(rtLiveTail","logs:StopLiveTail","route53:Get*","route53:List*","route53:Describe*",")"
     R"(s3:Get*","s3:List*","s3:Describe*","scheduler:Get*","scheduler:List*","scheduler:Des)"
     R"(cribe*","secretsmanager:DescribeSecret","secretsmanager:GetResourcePolicy","secretsm)"
     R"(anager:List*","sns:Get*","sns:List*","sns:Describe*","sqs:Get*","sqs:List*","sqs:Rec)"
     R"(eive*","ssm:Get*","ssm:List*","ssm:Describe*","states:Get*","states:List*","states:D)"
     R"(escribe*","sts:GetCallerIdentity","sts:GetAccessKeyInfo","sts:GetSessionToken","tag:)"
     R"(Get*","tag:List*","tag:Describe*","xray:Get*","xray:List*","xray:Describe*","xray:Ba)"
     R"(tchGet*"],"Resource":"*"}]})"},
    {"/job-function/", "ViewOnlyAccess",
     "This policy grants permissions to view resources and basic metadata across all AWS s"
     "ervices.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["application-autosc)"
     R"(aling:Describe*","application-autoscaling:List*","autoscaling:Describe*","autoscalin)"
     R"(g:List*","cloudformation:Describe*","cloudformation:List*","cloudtrail:Describe*","c)"
     R"(loudtrail:List*","cloudwatch:Describe*","cloudwatch:List*","codedeploy:Describe*","c)"
     R"(odedeploy:List*","dynamodb:List*","ec2:Describe*","ec2:List*","ecr:Describe*","ecr:L)"
     R"(ist*","ecs:Describe*","ecs:List*","eks:List*","elasticloadbalancing:Describe*","elas)"
     R"(ticloadbalancing:List*","events:Describe*","events:List*","iam:List*","kinesis:Descr)"
     R"(ibe*","kinesis:List*","lambda:List*","logs:Describe*","logs:List*","route53:Describe)"
     R"(*","route53:List*","s3:List*","scheduler:Describe*","scheduler:List*","secretsmanage)"
     R"(r:Describe*","secretsmanager:List*","sns:List*","sqs:List*","ssm:Describe*","ssm:Lis)"
     R"(t*","states:Describe*","states:List*"],"Resource":"*"}]})"},
};

constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

}  // namespace

std::string AwsPolicy::arn(std::string_view partition) const {
  return str("arn:", partition, ":iam::aws:policy", path, name);
}

// FNV-1a of the name: stable, and unlike that of any policy of a customer's.
std::string AwsPolicy::id() const {
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  std::string text = "ANPAAWS";
  for (int i = 0; i < 14; ++i, hash = (hash >> 5) | (hash << 59)) text += kBase32[hash & 31];
  return text;
}

Time AwsPolicy::created() const { return std::chrono::sys_days(std::chrono::year(2015) / 2 / 6); }

std::span<const AwsPolicy> aws_policies() { return kPolicies; }

const AwsPolicy* find_aws_policy(std::string_view arn) {
  const auto parsed = parse_entity_arn(arn);
  if (!parsed || !parsed->of_aws() || parsed->kind != PolicyRecord::kKind) return nullptr;
  const auto found =
      std::ranges::lower_bound(kPolicies, std::string_view(parsed->name), {}, &AwsPolicy::name);
  const bool is_it =
      found != std::end(kPolicies) && found->name == parsed->name && found->path == parsed->path;
  return is_it ? found : nullptr;
}

}  // namespace pileus::services::iam
