#include "services/iam/linked_services.h"

#include <algorithm>

namespace pileus::services::iam {

namespace {

constexpr LinkedService kServices[] = {
    {"apprunner.amazonaws.com", "AppRunner", "AppRunnerServiceRolePolicy", ""},
    {"autoscaling.amazonaws.com", "AutoScaling", "AutoScalingServiceRolePolicy",
     "Default Service-Linked Role enables access to AWS Services and Resources used or managed by "
     "Auto Scaling",
     true},
    {"autoscaling-plans.amazonaws.com", "AutoScalingPlans_EC2AutoScaling",
     "AWSAutoScalingPlansEC2AutoScalingPolicy", ""},
    {"batch.amazonaws.com", "Batch", "BatchServiceRolePolicy", ""},
    {"cloudtrail.amazonaws.com", "CloudTrail", "CloudTrailServiceRolePolicy", ""},
    {"cloudwatch-crossaccount.amazonaws.com", "CloudWatchCrossAccount",
     "CloudWatch-CrossAccountAccess", ""},
    {"codestar-notifications.amazonaws.com", "CodeStarNotifications",
     "AWSCodeStarNotificationsServiceRolePolicy", ""},
    {"config.amazonaws.com", "Config", "AWSConfigServiceRolePolicy", ""},
    {"connect.amazonaws.com", "AmazonConnect", "AmazonConnectServiceLinkedRolePolicy", "", true},
    {"dax.amazonaws.com", "DAX", "DAXServiceRolePolicy", ""},
    {"dynamodb.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_DynamoDBTable",
     "AWSApplicationAutoscalingDynamoDBTablePolicy", ""},
    {"ecs.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_ECSService",
     "AWSApplicationAutoscalingECSServicePolicy", ""},
    {"lambda.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_LambdaConcurrency",
     "AWSApplicationAutoscalingLambdaConcurrencyPolicy", ""},
    {"ecr.amazonaws.com", "ECRTemplate", "ECRTemplateServiceRolePolicy", ""},
    {"replication.ecr.amazonaws.com", "ECRReplication", "ECRReplicationServiceRolePolicy", ""},
    {"pullthroughcache.ecr.amazonaws.com", "ECRPullThroughCache",
     "AWSECRPullThroughCache_ServiceRolePolicy", ""},
    {"ecs.amazonaws.com", "ECS", "AmazonECSServiceRolePolicy",
     "Role to enable Amazon ECS to manage your cluster."},
    {"eks.amazonaws.com", "AmazonEKS", "AmazonEKSServiceRolePolicy", ""},
    {"eks-nodegroup.amazonaws.com", "AmazonEKSNodegroup", "AWSServiceRoleForAmazonEKSNodegroup",
     "This policy allows Amazon EKS to create and manage Nodegroups"},
    {"eks-fargate.amazonaws.com", "AmazonEKSForFargate", "AmazonEKSForFargateServiceRolePolicy",
     ""},
    {"elasticache.amazonaws.com", "ElastiCache", "ElastiCacheServiceRolePolicy", ""},
    {"elasticbeanstalk.amazonaws.com", "ElasticBeanstalk", "AWSElasticBeanstalkServiceRolePolicy",
     ""},
    {"elasticfilesystem.amazonaws.com", "AmazonElasticFileSystem",
     "AmazonElasticFileSystemServiceRolePolicy", ""},
    {"elasticloadbalancing.amazonaws.com", "ElasticLoadBalancing",
     "AWSElasticLoadBalancingServiceRolePolicy", "Allows ELB to call AWS services on your behalf."},
    {"es.amazonaws.com", "AmazonElasticsearchService", "AmazonElasticsearchServiceRolePolicy", ""},
    {"opensearchservice.amazonaws.com", "AmazonOpenSearchService",
     "AmazonOpenSearchServiceRolePolicy", ""},
    {"apidestinations.events.amazonaws.com", "AmazonEventBridgeApiDestinations",
     "AmazonEventBridgeApiDestinationsServiceRolePolicy", ""},
    {"globalaccelerator.amazonaws.com", "GlobalAccelerator", "AWSGlobalAcceleratorSLRPolicy", ""},
    {"guardduty.amazonaws.com", "AmazonGuardDuty", "AmazonGuardDutyServiceRolePolicy", ""},
    {"inspector2.amazonaws.com", "AmazonInspector2", "AmazonInspector2ServiceRolePolicy", ""},
    {"kafka.amazonaws.com", "Kafka", "KafkaServiceRolePolicy", ""},
    {"replicator.lambda.amazonaws.com", "LambdaReplicator", "AWSLambdaReplicator", ""},
    {"lex.amazonaws.com", "LexBots", "AmazonLexBotPolicy", ""},
    {"lexv2.amazonaws.com", "LexV2Bots", "AmazonLexV2BotPolicy", "", true},
    {"mq.amazonaws.com", "AmazonMQ", "AmazonMQServiceRolePolicy", ""},
    {"ops.apigateway.amazonaws.com", "APIGateway", "APIGatewayServiceRolePolicy",
     "The Service Linked Role is used by Amazon API Gateway."},
    {"organizations.amazonaws.com", "Organizations", "AWSOrganizationsServiceTrustPolicy", ""},
    {"rds.amazonaws.com", "RDS", "AmazonRDSServiceRolePolicy", ""},
    {"redshift.amazonaws.com", "Redshift", "AmazonRedshiftServiceLinkedRolePolicy", ""},
    {"securityhub.amazonaws.com", "SecurityHub", "AWSSecurityHubServiceRolePolicy", ""},
    {"spot.amazonaws.com", "EC2Spot", "AWSEC2SpotServiceRolePolicy",
     "Default EC2 Spot Service Linked Role"},
    {"spotfleet.amazonaws.com", "EC2SpotFleet", "AWSEC2SpotFleetServiceRolePolicy", ""},
    {"ssm.amazonaws.com", "AmazonSSM", "AmazonSSMServiceRolePolicy", ""},
    {"sso.amazonaws.com", "SSO", "AWSSSOServiceRolePolicy", ""},
    {"support.amazonaws.com", "Support", "AWSSupportServiceRolePolicy", ""},
    {"transitgateway.amazonaws.com", "VPCTransitGateway", "AWSVPCTransitGatewayServiceRolePolicy",
     ""},
    {"trustedadvisor.amazonaws.com", "TrustedAdvisor", "AWSTrustedAdvisorServiceRolePolicy", ""},
    {"xray.amazonaws.com", "XRay", "AWSXrayCrossAccountSharingConfiguration", ""},
};

}  // namespace

const LinkedService* find_linked_service(std::string_view principal) {
  const auto* found = std::ranges::find(kServices, principal, &LinkedService::principal);
  return found == std::end(kServices) ? nullptr : found;
}

}  // namespace pileus::services::iam
