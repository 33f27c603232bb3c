//! Rows of settings of registries.

use async_trait::async_trait;

use crate::ids::region::Region;
use crate::store::aws::registry::RegistryExtras;
use crate::store::tables::SqlStore;
use crate::store::tables::write::Write;
use crate::store::{StoreError, sql};

#[async_trait]
impl RegistryExtras for SqlStore {
    async fn registry_setting(&self, region: &Region, name: &str) -> Result<Option<String>, StoreError> {
        let select = sql::query("select value from registry_setting where region = ?1 and name = ?2");
        let found = select.bind(region.as_str()).bind(name).fetch_optional(&self.readers).await?;
        Ok(found.map(|row| row.try_get("value")).transpose()?)
    }

    async fn put_registry_setting(
        &self,
        region: &Region,
        name: &str,
        value: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let sql = match value {
            Some(_) => {
                "insert into registry_setting (region, name, value) values (?1, ?2, ?3) \
                 on conflict (region, name) do update set value = ?3"
            }
            None => "delete from registry_setting where region = ?1 and name = ?2 and ?3 is null",
        };
        let change = sql::query(sql).bind(region.as_str()).bind(name).bind(value);
        if change.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::NotFound);
        }
        write.commit().await
    }
}
