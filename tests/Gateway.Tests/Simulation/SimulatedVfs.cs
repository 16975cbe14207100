using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Exchange.Tests.Simulation;

/// <summary>
/// SQLite's door to the system (sqlite3.h, sqlite3_vfs) in which files below the folder of a <see cref="SimulatedDisk"/> are on that disk; all others go to the door that was there before. It is
/// the default of this test program, so that the engine is opened as in production. Of a file that is not simulated it does nothing but pass the call to open on.
/// </summary>
static unsafe class SimulatedVfs
{
    const int Ok = 0, Busy = 5, IoError = 10, NotFound = 12, CannotOpen = 14, ShortRead = IoError | (2 << 8), DeleteNoEntry = IoError | (23 << 8);
    const int OpenCreate = 4, Shared = 1, Reserved = 2, Pending = 3, Unlock = 1, LockShared = 4, PowersafeOverwrite = 0x1000, SectorSize = 4096;

    static readonly Vfs* real = sqlite3_vfs_find(null);
    static readonly Methods* methods = MakeMethods();
    static readonly Lazy<bool> registered = new(Make);

    public static void Register() => _ = registered.Value;

    static bool Make()
    {
        // Never freed: SQLite keeps the pointer for as long as the process lives.
        var vfs = (Vfs*)NativeMemory.Alloc((nuint)sizeof(Vfs));
        *vfs = *real;
        vfs->Size = Math.Max(real->Size, sizeof(Handle));
        vfs->Next = null;
        vfs->Name = (byte*)Marshal.StringToCoTaskMemUTF8("simulated");
        vfs->Open = &OnOpen;
        vfs->Delete = &OnDelete;
        vfs->Access = &OnAccess;
        return sqlite3_vfs_register(vfs, 1) == Ok ? true : throw new InvalidOperationException("SQLite takes no other door.");
    }

    static Methods* MakeMethods()
    {
        var m = (Methods*)NativeMemory.AllocZeroed((nuint)sizeof(Methods));
        m->Version = 2;
        m->Close = &OnClose;
        m->Read = &OnRead;
        m->Write = &OnWrite;
        m->Truncate = &OnTruncate;
        m->Sync = &OnSync;
        m->FileSize = &OnFileSize;
        m->Lock = &OnLock;
        m->Unlock = &OnUnlock;
        m->CheckReserved = &OnCheckReserved;
        m->Control = &OnControl;
        m->Sector = &OnSector;
        m->Characteristics = &OnCharacteristics;
        m->ShmMap = &OnShmMap;
        m->ShmLock = &OnShmLock;
        m->ShmBarrier = &OnShmBarrier;
        m->ShmUnmap = &OnShmUnmap;
        return m;
    }

    static (SimulatedDisk Disk, string Path)? Find(byte* name) =>
        name is not null && Marshal.PtrToStringUTF8((nint)name) is { } path && SimulatedDisk.Of(path) is { } disk ? (disk, path) : null;

    static SimulatedHandle Of(Handle* handle) => (SimulatedHandle)GCHandle.FromIntPtr(handle->Target).Target!;

    // Whatever goes wrong here is an I/O error there.
    static int Guard(SimulatedDisk disk, Func<int> action)
    {
        lock (disk.Gate)
            try { return action(); }
            catch (Exception) { return IoError; }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int OnOpen(Vfs* vfs, byte* name, Handle* handle, int flags, int* outFlags)
    {
        if (Find(name) is not var (disk, path)) return real->Open(real, name, handle, flags, outFlags);
        handle->Methods = null;
        lock (disk.Gate)
        {
            if (disk.IsDead || disk.Find(path, (flags & OpenCreate) != 0) is not { } file) return CannotOpen;
            var opened = new SimulatedHandle(disk, file);
            file.Handles.Add(opened);
            handle->Target = GCHandle.ToIntPtr(GCHandle.Alloc(opened));
        }
        handle->Methods = methods;
        if (outFlags is not null) *outFlags = flags;
        return Ok;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int OnDelete(Vfs* vfs, byte* name, int syncFolder)
    {
        if (Find(name) is not var (disk, path)) return real->Delete(real, name, syncFolder);
        return Guard(disk, () => disk.IsDead ? IoError : disk.Delete(path) ? Ok : DeleteNoEntry);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int OnAccess(Vfs* vfs, byte* name, int flags, int* result)
    {
        if (Find(name) is not var (disk, path)) return real->Access(real, name, flags, result);
        // As the door for Unix: an empty file does not count.
        lock (disk.Gate) *result = disk.Find(path) is { Length: > 0 } ? 1 : 0;
        return Ok;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int OnClose(Handle* handle)
    {
        var h = Of(handle);
        GCHandle.FromIntPtr(handle->Target).Free();
        return Guard(h.Disk, () =>
        {
            h.Shm?.Leave(h);
            h.File.Handles.Remove(h);
            return Ok;
        });
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int OnRead(Handle* handle, byte* to, int count, long at)
    {
        var h = Of(handle);
        lock (h.Disk.Gate)
        {
            if (h.IsDead) return IoError;
            return h.File.Read(new Span<byte>(to, count), at) ? Ok : ShortRead;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int OnWrite(Handle* handle, byte* from, int count, long at)
    {
        var h = Of(handle);
        lock (h.Disk.Gate) return !h.IsDead && h.Disk.Write(h.File, new ReadOnlySpan<byte>(from, count), at) ? Ok : IoError;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int OnTruncate(Handle* handle, long length)
    {
        var h = Of(handle);
        lock (h.Disk.Gate)
        {
            if (h.IsDead) return IoError;
            h.File.Truncate(length);
            return Ok;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int OnSync(Handle* handle, int flags)
    {
        var h = Of(handle);
        lock (h.Disk.Gate) return !h.IsDead && h.Disk.Sync(h.File) ? Ok : IoError;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int OnFileSize(Handle* handle, long* size)
    {
        var h = Of(handle);
        lock (h.Disk.Gate) *size = h.File.Length;
        return Ok;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int OnLock(Handle* handle, int level)
    {
        var h = Of(handle);
        return Guard(h.Disk, () =>
        {
            if (h.IsDead) return IoError;
            if (h.Locked >= level) return Ok;
            var highest = h.File.Handles.Where(o => o != h).Select(o => o.Locked).DefaultIfEmpty().Max();
            if (level == Shared ? highest >= Pending : level == Reserved ? highest >= Reserved : highest >= Shared)
            {
                if (level > Reserved && highest < Reserved) h.Locked = Pending;
                return Busy;
            }
            h.Locked = level;
            return Ok;
        });
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int OnUnlock(Handle* handle, int level)
    {
        var h = Of(handle);
        h.Locked = Math.Min(h.Locked, level);
        return Ok;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int OnCheckReserved(Handle* handle, int* result)
    {
        var h = Of(handle);
        lock (h.Disk.Gate) *result = h.File.Handles.Any(o => o.Locked >= Reserved) ? 1 : 0;
        return Ok;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int OnControl(Handle* handle, int operation, void* argument) => NotFound;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int OnSector(Handle* handle) => SectorSize;

    // As the door for Unix says of every file system: bytes beside those written are not harmed.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int OnCharacteristics(Handle* handle) => PowersafeOverwrite;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int OnShmMap(Handle* handle, int index, int size, int extend, void** result)
    {
        var h = Of(handle);
        lock (h.Disk.Gate)
        {
            *result = null;
            if (h.IsDead) return IoError;
            if (h.Shm is null)
            {
                h.Shm = h.File.Shm ??= new SimulatedShm();
                h.Shm.Handles.Add(h);
            }
            *result = (void*)h.Shm.Region(index, size, extend != 0);
            return Ok;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int OnShmLock(Handle* handle, int offset, int count, int flags)
    {
        var h = Of(handle);
        var mask = ((1 << count) - 1) << offset;
        lock (h.Disk.Gate)
        {
            if ((flags & Unlock) != 0)
            {
                h.SharedLocks &= ~mask;
                h.ExclusiveLocks &= ~mask;
                return Ok;
            }
            if (h.IsDead) return IoError;
            var exclusive = (flags & LockShared) == 0;
            foreach (var other in h.Shm!.Handles)
                if (other != h && ((other.ExclusiveLocks & mask) != 0 || (exclusive && (other.SharedLocks & mask) != 0))) return Busy;
            if (exclusive) h.ExclusiveLocks |= mask;
            else h.SharedLocks |= mask;
            return Ok;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static void OnShmBarrier(Handle* handle) => Thread.MemoryBarrier();

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int OnShmUnmap(Handle* handle, int delete)
    {
        var h = Of(handle);
        return Guard(h.Disk, () =>
        {
            h.Shm?.Leave(h);
            if (delete != 0 && !h.IsDead && h.File.Shm == h.Shm) h.File.Shm = null;
            (h.Shm, h.SharedLocks, h.ExclusiveLocks) = (null, 0, 0);
            return Ok;
        });
    }

    /// <summary>What SQLite allocates for each open file.</summary>
    [StructLayout(LayoutKind.Sequential)]
    struct Handle
    {
        public Methods* Methods;
        public nint Target;
    }

    [StructLayout(LayoutKind.Sequential)]
    struct Vfs
    {
        public int Version;
        public int Size;
        public int MaxPath;
        public Vfs* Next;
        public byte* Name;
        public void* AppData;
        public delegate* unmanaged[Cdecl]<Vfs*, byte*, Handle*, int, int*, int> Open;
        public delegate* unmanaged[Cdecl]<Vfs*, byte*, int, int> Delete;
        public delegate* unmanaged[Cdecl]<Vfs*, byte*, int, int*, int> Access;
        public void* FullPathname, DlOpen, DlError, DlSym, DlClose, Randomness, Sleep, CurrentTime, GetLastError, CurrentTimeInt64, SetSystemCall, GetSystemCall, NextSystemCall;
    }

    [StructLayout(LayoutKind.Sequential)]
    struct Methods
    {
        public int Version;
        public delegate* unmanaged[Cdecl]<Handle*, int> Close;
        public delegate* unmanaged[Cdecl]<Handle*, byte*, int, long, int> Read;
        public delegate* unmanaged[Cdecl]<Handle*, byte*, int, long, int> Write;
        public delegate* unmanaged[Cdecl]<Handle*, long, int> Truncate;
        public delegate* unmanaged[Cdecl]<Handle*, int, int> Sync;
        public delegate* unmanaged[Cdecl]<Handle*, long*, int> FileSize;
        public delegate* unmanaged[Cdecl]<Handle*, int, int> Lock;
        public delegate* unmanaged[Cdecl]<Handle*, int, int> Unlock;
        public delegate* unmanaged[Cdecl]<Handle*, int*, int> CheckReserved;
        public delegate* unmanaged[Cdecl]<Handle*, int, void*, int> Control;
        public delegate* unmanaged[Cdecl]<Handle*, int> Sector;
        public delegate* unmanaged[Cdecl]<Handle*, int> Characteristics;
        public delegate* unmanaged[Cdecl]<Handle*, int, int, int, void**, int> ShmMap;
        public delegate* unmanaged[Cdecl]<Handle*, int, int, int, int> ShmLock;
        public delegate* unmanaged[Cdecl]<Handle*, void> ShmBarrier;
        public delegate* unmanaged[Cdecl]<Handle*, int, int> ShmUnmap;
    }

    [DllImport("e_sqlite3")]
    static extern Vfs* sqlite3_vfs_find(byte* name);

    [DllImport("e_sqlite3")]
    static extern int sqlite3_vfs_register(Vfs* vfs, int makeDefault);
}
