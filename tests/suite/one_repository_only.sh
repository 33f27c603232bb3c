# A workshop's chapter, command by command: a role that may list the images of one team, and of no other. Its files are
# under the home folder here, so that two runs do not meet.
mkdir -p ~/.aws

echo "export ECR_ACCESS_ROLE=ecr_access_teama_role" >> ~/.ecr_security
echo "export ECR_ACCESS_POLICY=ecr_access_testing" >> ~/.ecr_security
source ~/.ecr_security

TRUST_POLICY=$(echo -n '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::'$ACCOUNT_ID':root"},"Action":"sts:AssumeRole","Condition":{}}]}')

IDENTITY_POLICY=$(echo -n '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:ListImages"],"Resource":["arn:aws:ecr:'$AWS_REGION':'$ACCOUNT_ID':repository/team-a/*"]}]}')

aws iam create-role \
  --role-name $ECR_ACCESS_ROLE \
  --description "IAM role to test ECR repository access" \
  --assume-role-policy-document "$TRUST_POLICY" \
  --output text \
  --query 'Role.Arn'

aws iam create-policy \
  --policy-name $ECR_ACCESS_POLICY \
  --policy-document "$IDENTITY_POLICY" \
  --output text \
  --query 'Policy.Arn'

aws iam attach-role-policy \
  --role-name $ECR_ACCESS_ROLE \
  --policy-arn "arn:aws:iam::$ACCOUNT_ID:policy/$ECR_ACCESS_POLICY"

aws sts assume-role \
  --role-arn arn:aws:iam::${ACCOUNT_ID}:role/$ECR_ACCESS_ROLE \
  --role-session-name ECR-Access-Testing | jq -r .Credentials \
  > ~/ecrTester.json

cat << EoF > ~/.aws/credentials

[ecrTester]
aws_access_key_id=$(jq -r .AccessKeyId ~/ecrTester.json)
aws_secret_access_key=$(jq -r .SecretAccessKey ~/ecrTester.json)
aws_session_token=$(jq -r .SessionToken ~/ecrTester.json)

EoF

aws ecr list-images \
  --repository-name $ECR_REPO_A \
  --region $AWS_REGION \
  --profile ecrTester

aws ecr list-images \
  --repository-name $ECR_REPO_B \
  --region $AWS_REGION \
  --profile ecrTester
