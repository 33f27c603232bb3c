//! Why a call of AWS's APIs was not done, with AWS's codes. The messages are for the caller; faults are for the log.

use crate::admit::fault::Fault;
use crate::admit::refusal::Refusal;
use crate::store::StoreError;
use crate::store::aws::AwsError;

/// Why not.
#[derive(Clone, Debug)]
pub enum AwsProblem {
    /// Not the caller's fault.
    Fault(Fault),
    /// The gate refused.
    Refused(Refusal),
    /// It cannot be done as asked.
    Said {
        /// AWS's code.
        code: AwsCode,
        /// What the caller reads.
        message: String,
    },
    /// Who asks is not who they claim to be.
    Unproven {
        /// AWS's code.
        code: AwsCode,
        /// What the caller reads.
        message: String,
        /// For the log.
        because: &'static str,
    },
}

impl AwsProblem {
    /// It cannot be done as asked.
    #[must_use]
    pub fn said(code: AwsCode, message: impl Into<String>) -> Self {
        Self::Said { code, message: message.into() }
    }
}

impl From<Fault> for AwsProblem {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Refusal> for AwsProblem {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for AwsProblem {
    /// For reads, and for writes that cannot miss their row. What a use case can name, it names itself.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(_) | StoreError::Stale => Self::said(
                AwsCode::ConcurrentModification,
                "The request was rejected because multiple requests to change this object were submitted simultaneously. Wait a few minutes and submit your request again.",
            ),
            StoreError::Corrupt(text) => Self::Fault(Fault::Internal(text)),
            StoreError::NotFound => Self::Fault(Fault::Internal("a row vanished".to_owned())),
            StoreError::Unavailable(text) => Self::Fault(Fault::Store(text)),
        }
    }
}

impl From<AwsError> for AwsProblem {
    /// For what cannot meet a quota or a remainder; a use case that can, says so in AWS's words before.
    fn from(error: AwsError) -> Self {
        match error {
            AwsError::Quota(quota) => {
                Self::said(AwsCode::LimitExceeded, format!("Cannot exceed quota: {}", quota.most()))
            }
            AwsError::Remains(_) => Self::said(
                AwsCode::DeleteConflict,
                "Cannot delete entity, must remove what belongs to it first.",
            ),
            AwsError::Store(error) => error.into(),
        }
    }
}

/// Defines the codes: their names on the wire and their statuses.
macro_rules! codes {
    ($($code:ident = $status:literal),+ $(,)?) => {
        /// AWS's codes. JSON services say 400 for all that is the caller's fault.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[expect(missing_docs, reason = "AWS's own names")]
        pub enum AwsCode {
            $($code),+
        }

        impl AwsCode {
            /// The name on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$code => stringify!($code)),+
                }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self {
                    $(Self::$code => $status),+
                }
            }
        }
    };
}

codes! {
    AccessDenied = 403,
    AccessDeniedException = 400,
    ConcurrentModification = 409,
    DeleteConflict = 409,
    EmptyUploadException = 400,
    EntityAlreadyExists = 409,
    EntityTemporarilyUnmodifiable = 409,
    ExclusionNotFoundException = 400,
    ExpiredToken = 403,
    ExpiredTokenException = 400,
    IDPCommunicationError = 400,
    IDPRejectedClaim = 403,
    ImageAlreadyExistsException = 400,
    ImageDigestDoesNotMatchException = 400,
    ImageNotFoundException = 400,
    ImageTagAlreadyExistsException = 400,
    IncompleteSignature = 400,
    IncompleteSignatureException = 400,
    InternalFailure = 500,
    InvalidAction = 400,
    InvalidAuthorizationMessageException = 400,
    InvalidClientTokenId = 403,
    InvalidIdentityToken = 400,
    InvalidInput = 400,
    InvalidLayerException = 400,
    InvalidLayerPartException = 400,
    InvalidParameterException = 400,
    InvalidSignatureException = 400,
    InvalidTagParameterException = 400,
    LayerAlreadyExistsException = 400,
    LayerInaccessibleException = 400,
    LayerPartTooSmallException = 400,
    LayersNotFoundException = 400,
    LifecyclePolicyNotFoundException = 400,
    LifecyclePolicyPreviewInProgressException = 400,
    LifecyclePolicyPreviewNotFoundException = 400,
    LimitExceeded = 409,
    LimitExceededException = 400,
    MalformedPolicyDocument = 400,
    MalformedQueryString = 400,
    MissingAction = 400,
    MissingAuthenticationToken = 403,
    MissingAuthenticationTokenException = 400,
    NoSuchEntity = 404,
    PackedPolicyTooLarge = 400,
    PolicyNotAttachable = 400,
    PullThroughCacheRuleNotFoundException = 400,
    ReferencedImagesNotFoundException = 400,
    RegionDisabledException = 403,
    RegistryPolicyNotFoundException = 400,
    ReplicationBackfillNotFoundException = 400,
    RepositoryAlreadyExistsException = 400,
    RepositoryNotEmptyException = 400,
    RepositoryNotFoundException = 400,
    RepositoryPolicyNotFoundException = 400,
    ScanNotFoundException = 400,
    SerializationException = 400,
    ServerException = 500,
    ServiceFailure = 500,
    ServiceUnavailable = 503,
    SignatureDoesNotMatch = 403,
    SigningConfigurationNotFoundException = 400,
    TemplateNotFoundException = 400,
    Throttling = 400,
    ThrottlingException = 400,
    TooManyTagsException = 400,
    UnknownOperationException = 400,
    UnmodifiableEntity = 400,
    UnrecognizedClientException = 400,
    UnsupportedImageTypeException = 400,
    UploadNotFoundException = 400,
    ValidationError = 400,
    ValidationException = 400,
}
