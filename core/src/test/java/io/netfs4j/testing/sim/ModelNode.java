// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.server.FileType;
import io.netfs4j.server.RemotePath;

import org.jspecify.annotations.Nullable;

import java.util.TreeMap;
import java.util.TreeSet;

/** A name of the model and what it stands for. An operation claims the names that it works on. */
final class ModelNode {
    /** Null where it is not a regular file. */
    final @Nullable ModelFile file;

    /** Of a symbolic link: what it points to; else null. */
    final @Nullable String target;

    final TreeMap<String, ModelNode> children = new TreeMap<>();
    @Nullable ModelNode parent;
    String name;

    /** Names in here that an operation works on. */
    final TreeSet<String> busy = new TreeSet<>();

    /** Names in here that another client made or took away, which may show as they were. */
    final TreeMap<String, Staleness> unsettled = new TreeMap<>();

    /** What was set on it, of a directory. */
    final SetOnDirectory set = new SetOnDirectory();

    /** Operations that work on this or below it. */
    int pins;

    /** It is being moved or removed, so nothing may begin below it. */
    boolean leaving;

    /** Counts changes of the listing. */
    int changes;

    /** The inode number while it is known, and how many look-ups it was given for. */
    long ino;

    /** It may be that of what had its name before another client gave it that. */
    boolean isInoStale;

    long lookups;

    ModelNode(
            @Nullable ModelNode parent,
            String name,
            @Nullable ModelFile file,
            @Nullable String target) {
        this.target = target;
        this.parent = parent;
        this.name = name;
        this.file = file;
    }

    boolean isDirectory() {
        return file == null && target == null;
    }

    FileType type() {
        return isDirectory()
                ? FileType.DIRECTORY
                : file == null ? FileType.SYMLINK : FileType.REGULAR;
    }

    RemotePath path() {
        return parent == null ? RemotePath.ROOT : parent.path().child(name);
    }

    boolean isLeaving() {
        for (ModelNode n = this; n != null; n = n.parent) {
            if (n.leaving) {
                return true;
            }
        }
        return false;
    }

    void pin(int by) {
        for (ModelNode n = this; n != null; n = n.parent) {
            n.pins += by;
        }
    }

    boolean isWithin(ModelNode other) {
        for (ModelNode n = this; n != null; n = n.parent) {
            if (n == other) {
                return true;
            }
        }
        return false;
    }

    void attach(ModelNode to, String as) {
        parent = to;
        name = as;
        to.children.put(as, this);
        to.changes++;
        if (file != null) {
            file.names.add(this);
        }
    }

    void detach() {
        if (parent != null) {
            parent.children.remove(name);
            parent.changes++;
        }
        if (file != null) {
            file.names.remove(this);
        }
    }
}
