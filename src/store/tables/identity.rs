//! Users, service IDs and API keys, as the trait asks for them.

use async_trait::async_trait;

use super::row::{self, List};
use super::write::Write;
use super::{SqlStore, api_key, principal};
use crate::clock::UnixTime;
use crate::credential::api_key::KeyHash;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{ApiKeyId, ServiceId, UserId};
use crate::store::StoreError;
use crate::store::feed::ChangeKey;
use crate::store::identity::{
    ApiKeyRecord, Identities, Listed, PrincipalFacts, ServiceIdentity, User, Window,
};

const USERS: List<User> = List {
    count: "select count(*) from principal where kind = 'user'",
    rows: "select * from principal where kind = 'user' order by created_at, id limit ?2 offset ?3",
    decode: principal::user,
};

const SERVICE_IDS: List<ServiceIdentity> = List {
    count: "select count(*) from principal where kind = 'service_id'",
    rows: "select * from principal where kind = 'service_id' order by created_at, id limit ?2 offset ?3",
    decode: principal::service_id,
};

const SERVICE_IDS_OF_NAME: List<ServiceIdentity> = List {
    count: "select count(*) from principal where kind = 'service_id' and name = ?1",
    rows: "select * from principal where kind = 'service_id' and name = ?1 \
           order by created_at, id limit ?2 offset ?3",
    decode: principal::service_id,
};

#[async_trait]
impl Identities for SqlStore {
    async fn principal(&self, id: &PrincipalId) -> Result<Option<PrincipalFacts>, StoreError> {
        principal::facts(self, id).await
    }

    async fn key_owner(&self, hash: &KeyHash) -> Result<Option<(PrincipalId, ApiKeyId)>, StoreError> {
        api_key::owner(self, hash).await
    }

    async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        row::one(self, "select * from principal where id = ?1", id.as_str(), principal::user).await
    }

    async fn users(&self, window: Window) -> Result<Listed<User>, StoreError> {
        USERS.read(self, None, window).await
    }

    async fn insert_user(&self, user: &User) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        principal::insert_user(write.connection(), user).await?;
        write.touch(ChangeKey::Principal(PrincipalId::User(user.id.clone())));
        write.commit().await
    }

    async fn delete_user(&self, id: &UserId) -> Result<(), StoreError> {
        principal::delete(self, PrincipalId::User(id.clone())).await
    }

    async fn service_id(&self, id: &ServiceId) -> Result<Option<ServiceIdentity>, StoreError> {
        let name = principal::iam_id(id);
        row::one(self, "select * from principal where id = ?1", &name, principal::service_id).await
    }

    async fn service_ids(
        &self,
        name: Option<&str>,
        window: Window,
    ) -> Result<Listed<ServiceIdentity>, StoreError> {
        let list = if name.is_some() { SERVICE_IDS_OF_NAME } else { SERVICE_IDS };
        list.read(self, name, window).await
    }

    async fn insert_service_id(&self, row: &ServiceIdentity) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        principal::insert_service_id(write.connection(), row).await?;
        write.touch(ChangeKey::Principal(PrincipalId::ServiceId(row.id.clone())));
        write.commit().await
    }

    async fn update_service_id(&self, row: &ServiceIdentity) -> Result<(), StoreError> {
        principal::update_service_id(self, row).await
    }

    async fn delete_service_id(&self, id: &ServiceId) -> Result<(), StoreError> {
        principal::delete(self, PrincipalId::ServiceId(id.clone())).await
    }

    async fn api_key(&self, id: &ApiKeyId) -> Result<Option<ApiKeyRecord>, StoreError> {
        row::one(self, "select * from api_key where id = ?1", id.as_str(), api_key::decode).await
    }

    async fn api_keys(
        &self,
        owner: Option<&PrincipalId>,
        window: Window,
    ) -> Result<Listed<ApiKeyRecord>, StoreError> {
        let list = if owner.is_some() { api_key::OF_OWNER } else { api_key::ALL };
        list.read(self, owner.map(PrincipalId::to_string).as_deref(), window).await
    }

    async fn insert_api_key(&self, row: &ApiKeyRecord) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        api_key::insert(write.connection(), row).await?;
        write.touch(ChangeKey::Principal(row.owner.clone()));
        write.commit().await
    }

    async fn update_api_key(&self, row: &ApiKeyRecord) -> Result<(), StoreError> {
        api_key::update(self, row).await
    }

    async fn disable_api_key(&self, id: &ApiKeyId, at: UnixTime) -> Result<(), StoreError> {
        super::api_key::disable(self, id, at).await
    }

    async fn delete_api_key(&self, id: &ApiKeyId) -> Result<(), StoreError> {
        api_key::delete(self, id).await
    }
}
