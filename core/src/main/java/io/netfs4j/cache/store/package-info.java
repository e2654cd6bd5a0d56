// SPDX-License-Identifier: Apache-2.0
/**
 * The disk cache: what was read from the server or sent to it, on this machine's disk, for as long
 * as the server's file is of the same version. {@link io.netfs4j.cache.store.DiskStore} is all that
 * others see.
 *
 * <pre>
 *   acquire          StoreIndex: which files there are, least recently used first
 *      |             StoreCookie: which blocks of one file; ContentMap, 64 blocks a chunk
 *   issue            StoreTransfers: a piece is forked, and waits for the disk on its own
 *      |
 *   NN.data          blocks of 4 KiB where they are in the file
 *   NN.log           a segment of the journal that has some of them, its space shared with that
 *   NN.map           whose they are, of which version, a checksum for each (MapFormat)
 *   index            after a clean end: all that StoreIndex knows (IndexFormat)
 *      ^
 *   StoreKeeper      one task at a time: opens, writes maps, removes, makes room (StoreSpace)
 * </pre>
 *
 * <p><b>When a map is there.</b> A map is written when a file has been closed and nothing of it is
 * in flight, for only then is all that is held what the server has under the version. It is removed
 * with the first change of what is held. So a crash leaves maps that say what was true when they
 * were written, of files that have not been touched since. Nothing of a map or of data is forced:
 * what a loss of power takes does not fit the checksums, and is missing. Names of maps that were
 * removed are forced, in the background, for of an old map with old data a checksum tells nothing
 * where the server's times are so coarse that two versions look the same.
 *
 * <p><b>Paths.</b> A number names one file for good; a path names another one after a rename, which
 * may well look the same (length, and a time in seconds). A drop changes what is in memory at once;
 * nobody waits until the disk knows, and so a crash may lose it. Therefore the index is the mark of
 * a clean end, and of which mount: it is written last, when all drops have been done, and removed
 * for good before anything is served. Where it is missing the mount before has died, and what is
 * stored under paths goes; what is stored under numbers stays. The other choice, a journal of drops
 * that is forced before the server is asked to rename, would let a slow disk delay renames.
 *
 * <p>Threads: engine steps call with the inode's lock held; the store's one lock is a leaf, and
 * never held while the disk is called.
 */
@NullMarked
package io.netfs4j.cache.store;

import org.jspecify.annotations.NullMarked;
