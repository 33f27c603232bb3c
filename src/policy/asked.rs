//! A question as people put it: an action in either cloud's name, on a resource in either cloud's spelling.

use super::resource::{Resource, Service};
use super::table::{Action, ActionId, product};
use super::words::{for_action, for_right};
use crate::ids::Malformed;
use crate::ids::account::AccountId;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::needs::Right;

/// What is asked about, in all its wordings: one of them must be allowed, and none denied explicitly.
#[derive(Clone, Debug)]
pub struct Asked {
    name: String,
    wordings: Box<[Wording]>,
}

/// One wording.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wording {
    /// AWS's actions, all of which are needed.
    pub aws: Box<[ActionId]>,
    /// IBM's action, if it has one.
    pub ibm: Option<Action>,
}

impl Asked {
    /// Reads `container-registry.image.pull`, `image.pull`, `pull`, `ecr:BatchGetImage` or `iam:CreateRole`. AWS's names are
    /// read in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let spellings = [
            text.to_owned(),
            format!("container-registry.{text}"),
            format!("container-registry.image.{text}"),
        ];
        let ibm = spellings.iter().find_map(|name| Action::parse(name));
        ibm.and_then(Self::of).or_else(|| Self::of_aws(text))
    }

    /// An action in IBM's name.
    #[must_use]
    pub fn of(action: Action) -> Option<Self> {
        let words = for_action(action)?;
        let wording = Wording { aws: words.aws.clone(), ibm: Some(action) };
        Some(Self { name: action.name().to_owned(), wordings: Box::new([wording]) })
    }

    /// What the gate asks of IBM's policies where it asks AWS's documents for the action.
    fn of_aws(text: &str) -> Option<Self> {
        let action = product().find(text).filter(|_| text.contains(':'))?;
        let rights = Right::ALL.iter().flat_map(|right| for_right(*right));
        let words = rights.chain(Action::ALL.iter().filter_map(|ibm| for_action(*ibm)));
        let mut ibm: Vec<Action> =
            words.filter(|words| words.aws.contains(&action)).map(|one| one.ibm).collect();
        ibm.sort();
        ibm.dedup();
        let aws: Box<[ActionId]> = Box::new([action]);
        let mut wordings: Vec<Wording> =
            ibm.into_iter().map(|ibm| Wording { aws: aws.clone(), ibm: Some(ibm) }).collect();
        if wordings.is_empty() {
            wordings.push(Wording { aws, ibm: None });
        }
        Some(Self { name: product().name(action).to_owned(), wordings: wordings.into() })
    }

    /// The name in full.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its wordings; at least one.
    #[must_use]
    pub fn wordings(&self) -> &[Wording] {
        &self.wordings
    }

    /// The service whose resources it acts on, in IBM's words; none for what only AWS has.
    #[must_use]
    pub fn service(&self) -> Option<Service> {
        let action = self.wordings.iter().find_map(|wording| wording.ibm)?;
        let of = |service: &Service| action.name().starts_with(&format!("{}.", service.name()));
        Service::ALL.into_iter().find(of).or(Some(Service::ContainerRegistry))
    }
}

/// What it is asked on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// As IBM's policies see it, and as the right to ask is decided on.
    pub resource: Resource,
    /// As AWS's documents see it, where that is not the ARN of `resource`.
    pub arn: Option<Box<str>>,
}

impl From<Resource> for Target {
    fn from(resource: Resource) -> Self {
        Self { resource, arn: None }
    }
}

impl Target {
    /// Reads a CRN or an ARN. An ARN that is none of this account's repositories is asked as it is; who asks must be able
    /// to read the policies on everything.
    ///
    /// # Errors
    /// [`Malformed`] for a text that is neither, or of another account.
    pub fn parse(text: &str, account: &AccountId) -> Result<Self, Malformed> {
        if text.starts_with("arn:") {
            return Self::of_arn(text, account);
        }
        let wrong = || {
            let expected = "a CRN such as `crn:v1:bluemix:public:container-registry:us-south:a/ACCOUNT::namespace:NAME`, or an ARN";
            Malformed::new(text, expected)
        };
        let parts: Vec<&str> = text.splitn(10, ':').collect();
        let ["crn", "v1", _, _, service, region, scope, _, kind, name] = parts.as_slice() else {
            return Err(wrong());
        };
        let own = scope.strip_prefix("a/").is_some_and(|named| named == account.as_str());
        let service = Service::parse(service).filter(|_| own).ok_or_else(wrong)?;
        if service != Service::ContainerRegistry {
            return Ok(Resource::platform(service).into());
        }
        let region = Region::parse(region)?;
        match *kind {
            "" if name.is_empty() => Ok(Resource::registry(&region).into()),
            "namespace" if !name.is_empty() => Ok(Resource::namespace(&region, name).into()),
            "repository" | "image" => {
                Ok(Resource::repository(&region, &RepositoryName::parse(untagged(name).0)?).into())
            }
            _ => Err(wrong()),
        }
    }

    fn of_arn(text: &str, account: &AccountId) -> Result<Self, Malformed> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let wrong = || Malformed::new(text, "an ARN such as `arn:aws:ecr:REGION:ACCOUNT:repository/NAME`");
        let ["arn", "aws", service, region, owner, name] = parts.as_slice() else { return Err(wrong()) };
        let own = *service == "ecr" && *owner == account.as_str();
        if let Some(name) = name.strip_prefix("repository/").filter(|name| own && *name != "*") {
            return Ok(Resource::repository(&Region::parse(region)?, &RepositoryName::parse(name)?).into());
        }
        let everything =
            Resource { service: None, region: None, namespace: None, repository: None, group: None };
        Ok(Self { resource: everything, arn: Some(text.into()) })
    }

    /// What AWS's documents are asked on; none for what has no ARN.
    #[must_use]
    pub fn arn(&self, account: &AccountId) -> Option<String> {
        self.arn.as_deref().map(str::to_owned).or_else(|| self.resource.arn(account))
    }

    /// The account that owns it.
    #[must_use]
    pub fn owner<'a>(&'a self, own: &'a AccountId) -> &'a str {
        let named =
            self.arn.as_deref().and_then(|arn| arn.split(':').nth(4)).filter(|named| !named.is_empty());
        named.unwrap_or(own.as_str())
    }
}

/// An image's name without its tag and digest, and these.
#[must_use]
pub fn untagged(image: &str) -> (&str, Option<&str>, Option<&str>) {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag), digest),
        Some(_) | None => (name, None, digest),
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Target, untagged};
    use crate::ids::account::AccountId;
    use crate::policy::resource::{Resource, Service};
    use crate::policy::table::Action;

    #[test]
    fn actions_are_read_in_either_clouds_name() {
        let ibm = |text: &str| {
            let asked = Asked::parse(text).unwrap();
            let ibm: Vec<Option<Action>> = asked.wordings().iter().map(|one| one.ibm).collect();
            (asked.name().to_owned(), asked.wordings()[0].aws.len(), ibm)
        };
        let pull = ("container-registry.image.pull".to_owned(), 2, vec![Some(Action::ImagePull)]);
        for text in ["pull", "image.pull", "container-registry.image.pull"] {
            assert_eq!(ibm(text), pull);
        }
        let (either, push) =
            (vec![Some(Action::ImagePull), Some(Action::ImagePush)], vec![Some(Action::ImagePush)]);
        assert_eq!(ibm("ecr:PutImage"), ("ecr:PutImage".to_owned(), 1, push));
        assert_eq!(
            ibm("ECR:batchchecklayeravailability"),
            ("ecr:BatchCheckLayerAvailability".to_owned(), 1, either)
        );
        assert_eq!(ibm("iam:createrole"), ("iam:CreateRole".to_owned(), 1, vec![None]));
        assert_eq!(ibm("iam.policy.read"), ("iam.policy.read".to_owned(), 0, vec![Some(Action::PolicyRead)]));
        for text in ["", "fly", "ecr:Fly", "ecr:*", "iam-groups"] {
            assert!(Asked::parse(text).is_none(), "{text}");
        }
        assert_eq!(Asked::parse("iam-groups.groups.list").unwrap().service(), Some(Service::IamGroups));
        assert_eq!(Asked::parse("iam:CreateRole").unwrap().service(), None);
    }

    #[test]
    fn resources_are_read_in_either_clouds_spelling() {
        let account = AccountId::parse("111122223333").unwrap();
        let region = "us-south".parse().unwrap();
        let read = |text: &str| Target::parse(text, &account);
        let crn =
            |rest: &str| format!("crn:v1:bluemix:public:container-registry:us-south:a/111122223333:{rest}");
        let owl = Resource::repository(&region, &"birds/owl".parse().unwrap());
        let birds = Resource::namespace(&region, "birds");
        assert_eq!(read(&crn(":namespace:birds")), Ok(birds.into()));
        assert_eq!(read(&crn(":repository:birds/owl")), Ok(owl.clone().into()));
        assert_eq!(read(&crn("::")), Ok(Resource::registry(&region).into()));
        assert_eq!(read("arn:aws:ecr:us-south:111122223333:repository/birds/owl"), Ok(owl.into()));
        let role = read("arn:aws:iam::444455556666:role/r").unwrap();
        assert_eq!((role.resource.service, role.owner(&account)), (None, "444455556666"));
        assert_eq!(role.arn(&account).as_deref(), Some("arn:aws:iam::444455556666:role/r"));
        let others = crn(":namespace:birds").replace("1111", "9999");
        for text in
            ["", "birds", "crn:v1", "arn:aws:ecr", "arn:aws:ecr:us-south:111122223333:repository/A", &others]
        {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn images_are_taken_apart_as_docker_does() {
        assert_eq!(untagged("birds/owl:1"), ("birds/owl", Some("1"), None));
        assert_eq!(untagged("birds/owl:1@sha256:0"), ("birds/owl", Some("1"), Some("sha256:0")));
        assert_eq!(untagged("localhost:99/owl"), ("localhost:99/owl", None, None));
    }
}
