//! The account's row, and the founding.

use async_trait::async_trait;

use super::aws::{access_key, attachment};
use super::write::Write;
use super::{SqlStore, api_key, keyring, policy, principal, registry, row};
use crate::ids::principal::PrincipalId;
use crate::store::account::{Account, Accounts, Founding};
use crate::store::aws::holder::Holder;
use crate::store::feed::ChangeKey;
use crate::store::{StoreError, sql};

#[async_trait]
impl Accounts for SqlStore {
    async fn account(&self) -> Result<Option<Account>, StoreError> {
        let row = sql::query("select * from account").fetch_optional(&self.readers).await?;
        row.as_ref().map(decode).transpose()
    }

    async fn found(&self, founding: &Founding) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        insert(write.connection(), &founding.account).await?;
        principal::insert_user(write.connection(), &founding.administrator).await?;
        api_key::insert(write.connection(), &founding.api_key).await?;
        if let Some(row) = &founding.access_key {
            access_key::insert(write.connection(), row).await?;
        }
        for row in &founding.policies {
            policy::insert(write.connection(), row).await?;
        }
        let administrator = PrincipalId::User(founding.administrator.id.clone());
        let holder = Holder::Principal(administrator.clone());
        for policy in &founding.held {
            attachment::insert(write.connection(), &holder, policy, founding.account.created_at).await?;
        }
        keyring::insert(write.connection(), &founding.signing_key).await?;
        write.touch(ChangeKey::Account);
        write.touch(ChangeKey::Principal(administrator));
        write.touch(ChangeKey::Keyring);
        for settings in &founding.registries {
            registry::put(write.connection(), settings).await?;
            write.touch(ChangeKey::Registry(settings.region.clone()));
        }
        write.commit().await
    }
}

async fn insert(connection: &mut sql::Connection, account: &Account) -> Result<(), StoreError> {
    let insert = sql::query("insert into account (id, name, created_at) values (?1, ?2, ?3)")
        .bind(account.id.as_str())
        .bind(&account.name)
        .bind(account.created_at.millis());
    let done = insert.execute(connection).await;
    done.map_err(|error| StoreError::conflict(error, "there is an account already"))?;
    Ok(())
}

fn decode(row: &sql::Row) -> Result<Account, StoreError> {
    Ok(Account {
        id: row::parsed(row, "id")?,
        name: row.try_get("name")?,
        created_at: row::time(row, "created_at")?,
    })
}
