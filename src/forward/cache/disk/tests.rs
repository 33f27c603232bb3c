//! A folder of layers, and what becomes of it.

use super::super::disk::draft::Draft;
use super::{Disk, Layer};
use crate::forward::digest::{Hashing, sha256};
use crate::forward::settings::UpstreamUrl;
use crate::registry::reference::Digest;

use bytes::Bytes;
use std::fs;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;

fn named(digest: &Digest) -> Layer {
    Layer::of(&UpstreamUrl::parse("http://127.0.0.1:5000").unwrap(), digest)
}

async fn put(disk: &Arc<Disk>, content: &[u8], name: &Digest) -> Option<()> {
    let mut draft: Draft = disk.begin(content.len() as u64).await?;
    let mut hashing = Hashing::by(name);
    for piece in content.chunks(7) {
        hashing.take(piece);
        draft.write(vec![Bytes::copy_from_slice(piece)]).await.unwrap();
    }
    draft.publish(disk, hashing, &named(name)).await.unwrap().map(drop)
}

async fn has(disk: &Arc<Disk>, content: &[u8]) -> bool {
    let Some(stored) = disk.checked(&named(&sha256(content).unwrap())).await else { return false };
    let mut read = vec![0; content.len()];
    stored.file.read_exact_at(&mut read, 0).unwrap();
    read == content
}

fn private_folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    dir
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[tokio::test]
async fn what_is_whole_is_found_until_others_need_its_room() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Disk::open(&dir.path().join("a/layers"), 300).unwrap();
    let layers = [[1; 100], [2; 100], [3; 100], [4; 100]];
    for layer in &layers[..3] {
        put(&disk, layer, &sha256(layer).unwrap()).await.unwrap();
    }
    assert!(has(&disk, &layers[0]).await, "used last");
    put(&disk, &layers[3], &sha256(&layers[3]).unwrap()).await.unwrap();
    let there: Vec<bool> =
        [has(&disk, &layers[0]).await, has(&disk, &layers[1]).await, has(&disk, &layers[2]).await].into();
    assert_eq!((there, disk.bytes()), (vec![true, false, true], 300));
    assert!(disk.begin(301).await.is_none(), "larger than all of it");
    assert!(has(&disk, &layers[0]).await);
}

#[tokio::test]
async fn what_is_read_keeps_its_room_and_what_does_not_fit_beside_it_is_not_kept() {
    let dir = private_folder();
    let disk = Disk::open(dir.path(), 150).unwrap();
    let (one, other) = ([1; 100], [2; 100]);
    let name = sha256(&one).unwrap();
    put(&disk, &one, &name).await.unwrap();
    let reader = disk.checked(&named(&name)).await.unwrap();
    assert!(disk.begin(100).await.is_none());
    // It is deleted while it is read.
    disk.remove(&named(&name));
    assert_eq!((files(dir.path()), disk.bytes()), (0, 100));
    assert!(disk.begin(100).await.is_none(), "its bytes are still there");
    drop(reader);
    put(&disk, &other, &sha256(&other).unwrap()).await.unwrap();
    assert_eq!(disk.bytes(), 100);
}

#[tokio::test]
async fn nothing_wrong_gets_a_name_and_nothing_unfinished_leaves_a_trace() {
    let dir = private_folder();
    let disk = Disk::open(dir.path(), 1000).unwrap();
    assert!(put(&disk, b"wrong", &sha256(b"right").unwrap()).await.is_none());
    assert!(!has(&disk, b"right").await);
    let mut given_up = disk.begin(10).await.unwrap();
    given_up.write(vec!["half".into()]).await.unwrap();
    assert_eq!((files(dir.path()), disk.bytes()), (1, 10));
    drop(given_up);
    assert_eq!((files(dir.path()), disk.bytes()), (0, 0));
}

#[tokio::test]
async fn files_of_an_earlier_process_are_read_before_they_are_believed() {
    let dir = private_folder();
    let (good, bad, short) = ([1; 100], [2; 100], [3; 100]);
    {
        let disk = Disk::open(dir.path(), 1000).unwrap();
        for layer in [&good, &bad, &short] {
            put(&disk, layer, &sha256(layer).unwrap()).await.unwrap();
        }
    }
    let file = |content: &[u8]| dir.path().join(named(&sha256(content).unwrap()).file_name());
    fs::write(file(&bad), [9; 100]).unwrap();
    fs::write(file(&short), [3; 50]).unwrap();
    fs::write(dir.path().join("draft-7"), "half").unwrap();
    fs::write(dir.path().join("notes.txt"), "not ours").unwrap();
    let disk = Disk::open(dir.path(), 1000).unwrap();
    assert_eq!(disk.bytes(), 250);
    let elsewhere = UpstreamUrl::parse("http://127.0.0.1:5001").unwrap();
    let elsewhere = Layer::of(&elsewhere, &sha256(&good).unwrap());
    assert!(disk.checked(&elsewhere).await.is_none(), "another upstream's");
    for (content, there) in [(&good, true), (&bad, false), (&short, false)] {
        assert_eq!(has(&disk, content).await, there);
    }
    assert_eq!((files(dir.path()), disk.bytes()), (2, 100), "the good one and the notes");
}

#[tokio::test]
async fn only_we_can_read_the_folder_and_what_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("layers");
    let disk = Disk::open(&folder, 1000).unwrap();
    put(&disk, b"layer", &sha256(b"layer").unwrap()).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let file = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
    // It may be anything that the operator has named by mistake: it is not ours to lock.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let error = Disk::open(&folder, 1000).unwrap_err().to_string();
    assert!(error.contains("chmod 700") && mode(&folder) == 0o755, "{error}");
}
