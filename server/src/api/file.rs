//! Bodies that are binary files of docs/formats.md.

use axum::http::{HeaderName, header};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
};

/// What an answer that is such a file is called.
pub(super) const BINARY: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/octet-stream")];

/// Such a file, as the document describes it: bytes, where `Vec<u8>` would be an array of numbers in JSON.
pub(super) enum File {}

impl PartialSchema for File {
    fn schema() -> RefOr<Schema> {
        let binary = SchemaFormat::KnownFormat(KnownFormat::Binary);
        ObjectBuilder::new().schema_type(Type::String).format(Some(binary)).into()
    }
}

impl ToSchema for File {}
