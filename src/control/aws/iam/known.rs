//! What AWS says of its managed policies besides their documents. This file is data.

/// One policy.
#[derive(Debug)]
pub struct Facts {
    /// Its name.
    pub name: &'static str,
    /// `ANPA…`
    pub id: &'static str,
    /// The version in force.
    pub version: u32,
    /// When it was made, in seconds since 1970.
    pub created: i64,
    /// When its version was.
    pub updated: i64,
    /// What it is for.
    pub description: &'static str,
}

/// By name.
pub const FACTS: &[Facts] = &[
    // 2015-02-06T18:39:46Z and 2015-02-06T18:39:46Z
    Facts {
        name: "AdministratorAccess",
        id: "ANPAIWMBCKSKIEE64ZLYK",
        version: 1,
        created: 1_423_247_986,
        updated: 1_423_247_986,
        description: "Provides full access to AWS services and resources.",
    },
    // 2015-12-21T17:06:48Z and 2020-12-05T00:04:19Z
    Facts {
        name: "AmazonEC2ContainerRegistryFullAccess",
        id: "ANPAIESRL7KD7IIVF6V4W",
        version: 3,
        created: 1_450_717_608,
        updated: 1_607_126_659,
        description: "Provides administrative access to Amazon ECR resources",
    },
    // 2015-12-21T17:05:33Z and 2019-12-10T20:48:08Z
    Facts {
        name: "AmazonEC2ContainerRegistryPowerUser",
        id: "ANPAJDNE5PIHROIBGGDDW",
        version: 3,
        created: 1_450_717_533,
        updated: 1_576_010_888,
        description: "Provides full access to Amazon EC2 Container Registry repositories, but does not allow repository deletion or policy changes.",
    },
    // 2024-10-04T16:58:49Z and 2024-10-04T16:58:49Z
    Facts {
        name: "AmazonEC2ContainerRegistryPullOnly",
        id: "ANPAERGQSYSQAVX5FLUIE",
        version: 1,
        created: 1_728_061_129,
        updated: 1_728_061_129,
        description: "Provides access to pull images from Amazon EC2 Container Registry repositories.",
    },
    // 2015-12-21T17:04:15Z and 2019-12-10T20:56:32Z
    Facts {
        name: "AmazonEC2ContainerRegistryReadOnly",
        id: "ANPAIFYZPA37OOHVIH7KQ",
        version: 3,
        created: 1_450_717_455,
        updated: 1_576_011_392,
        description: "Provides read-only access to Amazon EC2 Container Registry repositories.",
    },
    // 2015-02-06T18:40:38Z and 2019-06-21T19:40:00Z
    Facts {
        name: "IAMFullAccess",
        id: "ANPAI7XKCFMBPM3QQRRVQ",
        version: 2,
        created: 1_423_248_038,
        updated: 1_561_146_000,
        description: "Provides full access to IAM via the AWS Management Console.",
    },
    // 2015-02-06T18:40:39Z and 2018-01-25T19:11:27Z
    Facts {
        name: "IAMReadOnlyAccess",
        id: "ANPAJKSO7NDY4T57MWDSQ",
        version: 4,
        created: 1_423_248_039,
        updated: 1_516_907_487,
        description: "Provides read only access to IAM via the AWS Management Console.",
    },
    // 2026-11-21T00:00:00Z and 2026-11-21T00:00:00Z
    Facts {
        name: "ViewOwnUserInfo",
        id: "ANPAMAY2F5Q4VMHLH2HW3",
        version: 1,
        created: 1_795_219_200,
        updated: 1_795_219_200,
        description: "Lets users see their own policies and groups, and find their way in the console.",
    },
];

#[cfg(test)]
mod tests {
    use super::FACTS;
    use crate::ids::aws::ManagedPolicyId;
    use crate::policy::aws::managed::MANAGED;

    #[test]
    fn every_managed_policy_is_described() {
        let names: Vec<&str> = FACTS.iter().map(|facts| facts.name).collect();
        assert_eq!(names, MANAGED.iter().map(|policy| policy.name).collect::<Vec<_>>());
        assert!(
            FACTS
                .iter()
                .all(|facts| ManagedPolicyId::parse(facts.id).is_ok() && facts.created <= facts.updated)
        );
    }
}
