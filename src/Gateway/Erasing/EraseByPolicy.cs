using Exchange.Gateway.Store;

namespace Exchange.Gateway.Erasing;

/// <summary>
/// Erases what the policy in force does not let be kept any longer: every copy of the dispatch ended detailDays ago, of the level of its author's label and of the one that it bears by now. The basis is "RETENTION", and
/// the statement that an entry names is the policy, which two officers signed. Looks at a part of the store at each step, and then begins anew.
/// </summary>
sealed class EraseByPolicy(FinishErasures finish, Shared shared)
{
    public const string Basis = "RETENTION";
    const int Looked = 2000, AtOnce = 100;
    readonly Dictionary<int, long> places = [];

    /// <returns>How many were begun; what is begun <see cref="FinishErasures"/> ends.</returns>
    public async Task<int> Step(DateTimeOffset now)
    {
        var (policy, erased) = (shared.Worlds.Current.Policy, 0);
        long? Before(int @class) => policy.Level(@class)?.Handling.DetailDays is { } days ? now.AddDays(-days).ToUnixTimeMilliseconds() : null;
        foreach (var level in policy.Content.Levels)
        {
            if (Before(level.Class) is not { } before) continue;
            IReadOnlyList<AgedDispatch> aged;
            byte[] statement;
            using (var reader = shared.Engine.Reader())
            {
                aged = ErasureTable.Aged(reader, level.Class, places.GetValueOrDefault(level.Class, long.MinValue), before, Looked);
                statement = DocumentTable.Find(reader, DocumentKind.Policy, policy.Ref)!.Der;
            }
            var taken = 0;
            foreach (var dispatch in aged)
            {
                places[level.Class] = dispatch.ReceivedAt;
                // A level of now that keeps it longer, or for ever, or is not known, keeps it.
                if (!dispatch.IsOver || !(Before(dispatch.Class) >= dispatch.EndedAt)) continue;
                if (Find(dispatch) is not { Owed: null, BegunAt: null } found || !await finish.Begin(found, policy.Ref, Basis, statement)) continue;
                if (++taken == AtOnce) break;
            }
            if (taken < AtOnce && aged.Count < Looked) places.Remove(level.Class);
            erased += taken;
        }
        return erased;
    }

    ErasableDispatch? Find(AgedDispatch dispatch)
    {
        using var reader = shared.Engine.Reader();
        return ErasureTable.Find(reader, dispatch.Sender, dispatch.Envelope);
    }
}
