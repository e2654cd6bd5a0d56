// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

/**
 * What a store has done since it was opened, and what it holds now.
 *
 * @param hits pieces that were read from it
 * @param misses questions for bytes of which it had none, and pieces that it turned out not to have
 * @param storedBytes written into it since it was opened
 * @param adoptedBytes that it did not write, for they were in a segment of the journal
 * @param segments of journals that it has something in now
 * @param heldBytes held now, in all files
 * @param usedBytes of the disk used now, with what is held no longer and the maps
 * @param files that it has something of now
 * @param culled files that were removed to make room
 * @param badBlocks that did not fit their checksums
 * @param errors calls of the disk that failed
 */
public record StoreStatistics(
        long hits,
        long misses,
        long storedBytes,
        long adoptedBytes,
        int segments,
        long heldBytes,
        long usedBytes,
        int files,
        long culled,
        long badBlocks,
        long errors) {}
